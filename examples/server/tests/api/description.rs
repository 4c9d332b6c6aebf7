use std::collections::BTreeSet;
use std::process::Command;

use activity_log::{ActivityLogEntry, ActivityLogFilters};
use serde_json::Value;

use crate::events::Events;
use crate::server::{Server, TestResult, entry};

const LOG: &str = "/api/v1/activity-log";

/// Two checks are left out. One requires the server to accept all data that the schema allows, but for NDJSON the
/// schema allows any text. The other requires it to refuse all other data, but an empty parameter counts as missing.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,ignored_auth,missing_required_header,unsupported_method,\
    allow_header_conformance";

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "patch", "trace"];

fn description(server: &Server) -> TestResult<Value> {
    let answer = server.request("GET", "/openapi.json")?;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    Ok(answer.body)
}

/// Each operation with its method and path.
fn operations(description: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = description["paths"].as_object().into_iter().flatten();
    paths
        .flat_map(|(path, operations)| {
            METHODS.into_iter().filter_map(move |method| Some((method, path.as_str(), operations.get(method)?)))
        })
        .collect()
}

#[test]
fn every_route_and_method_is_described_and_no_other() -> TestResult {
    let server = Server::start()?;
    let description = description(&server)?;
    let described = operations(&description).into_iter().map(|(method, path, _)| (method, path.to_owned()));
    let described = described.collect::<BTreeSet<_>>();
    let routes = [
        ("get", LOG.to_owned()),
        ("post", LOG.to_owned()),
        ("delete", LOG.to_owned()),
        ("get", format!("{LOG}/{{id}}")),
        ("get", format!("{LOG}/count")),
        ("get", format!("{LOG}/histogram")),
        ("get", format!("{LOG}/facets")),
        ("get", format!("{LOG}/export")),
        ("get", format!("{LOG}/stream")),
        ("get", format!("{LOG}/status")),
        ("get", format!("{LOG}/retention")),
        ("put", format!("{LOG}/retention")),
        ("get", "/healthz".to_owned()),
    ];
    assert_eq!(described, BTreeSet::from(routes));

    // When a path does not support a method, the router lists those that the path supports.
    for (_, path, _) in operations(&description) {
        // A refused method may close the connection, so the next request must not reuse it.
        let answer = server.request_with("PATCH", path, &[("connection", "close")])?;
        assert_eq!(answer.status, 405, "{path}");
        let allowed = answer.header("allow").to_ascii_lowercase();
        let allowed = allowed.split(',').filter(|method| *method != "head");
        let expected = described.iter().filter_map(|(method, described)| (described == path).then_some(*method));
        assert_eq!(allowed.collect::<BTreeSet<_>>(), expected.collect(), "{path}");
    }
    Ok(())
}

#[test]
fn every_operation_describes_its_errors() -> TestResult {
    let server = Server::start()?;
    let description = description(&server)?;
    for (method, path, operation) in operations(&description) {
        for status in ["400", "401", "403", "414", "500", "503"] {
            let schema = &operation["responses"][status]["content"]["application/json"]["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/ErrorBody", "{method} {path} {status}");
        }
        assert!(operation["summary"].is_string(), "{method} {path}");
    }
    for status in ["409", "413", "415", "507"] {
        assert!(description["paths"][LOG]["post"]["responses"][status].is_object(), "{status}");
    }
    assert_eq!(description["components"]["securitySchemes"]["token"]["scheme"], "bearer");
    Ok(())
}

#[test]
fn every_route_that_reads_the_log_describes_and_accepts_every_filter() -> TestResult {
    let server = Server::start()?;
    let description = description(&server)?;
    let filters = serde_json::to_value(ActivityLogFilters::default())?;
    let operations = operations(&description).into_iter();
    let of_no_entries = ["{id}", "/status", "/retention"];
    let reads_many = |method: &str, path: &str| {
        method == "get" && path.starts_with(LOG) && !of_no_entries.iter().any(|end| path.ends_with(end))
    };
    for (_, path, operation) in operations.filter(|(method, path, _)| reads_many(method, path)) {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let names = parameters
            .filter(|parameter| parameter["in"] == "query")
            .filter_map(|parameter| parameter["name"].as_str());
        let names = names.collect::<BTreeSet<_>>();
        for filter in filters.as_object().into_iter().flat_map(|filters| filters.keys()) {
            assert!(names.contains(&**filter), "{path} {filter}");
        }
        let query = names.iter().map(|name| if *name == "by" { "by=actor&".to_owned() } else { format!("{name}=&") });
        let query = query.collect::<String>();
        if path.ends_with("/stream") {
            assert!(!Events::open(&server, &query)?.begins_after.is_empty(), "{path}");
        } else {
            assert_eq!(server.request("GET", &format!("{path}?{query}"))?.status, 200, "{path}");
        }
    }
    Ok(())
}

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_in_the_description_resolves() -> TestResult {
    let server = Server::start()?;
    let description = description(&server)?;
    let mut found = Vec::new();
    references(&description, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap_or_default();
        assert!(description.pointer(pointer).is_some_and(Value::is_object), "{reference}");
    }
    Ok(())
}

#[test]
fn the_examples_match_what_the_server_accepts_and_returns() -> TestResult {
    let server = Server::start()?;
    let description = description(&server)?;
    let log = &description["paths"][LOG];
    let listed = &log["get"]["responses"]["200"]["content"]["application/json"]["example"];
    let [described]: [ActivityLogEntry; 1] = serde_json::from_value(listed["entries"].clone())?;
    let posted = &log["post"]["requestBody"]["content"]["application/json"]["example"];
    assert_eq!(server.post_json(posted)?.status, 201);
    let listed = server.get("limit=1")?.entries()?.remove(0);
    assert_eq!(ActivityLogEntry { seq: described.seq, id: described.id.clone(), ..listed }, described);
    let lines = log["post"]["requestBody"]["content"]["application/x-ndjson"]["example"].as_str();
    assert_eq!(server.post("application/x-ndjson", lines.unwrap_or_default())?.body["recorded"], 1);

    // The real responses have the fields of the examples.
    server.post_json(&entry("Another"))?;
    for (path, query) in [("", ""), ("/count", ""), ("/histogram", ""), ("/facets", "?by=actor")] {
        let path = format!("{LOG}{path}");
        let example = &description["paths"][&path]["get"]["responses"]["200"]["content"]["application/json"]["example"];
        let real = server.request("GET", &format!("{path}{query}"))?.body;
        let fields = |value: &Value| value.as_object().map(|fields| fields.keys().cloned().collect::<BTreeSet<_>>());
        assert!(fields(example).is_some(), "{path}");
        assert_eq!(fields(&real), fields(example), "{path}");
        for list in ["buckets", "values"] {
            assert_eq!(fields(&real[list][0]), fields(&example[list][0]), "{path}");
        }
    }
    Ok(())
}

#[test]
#[ignore = "needs schemathesis (pip install schemathesis), which .ci/run installs"]
fn no_response_contradicts_the_description() -> TestResult {
    let server = Server::start_with(&["--demo", "200", "--token", "token"])?;
    let mut schemathesis = Command::new("schemathesis");
    schemathesis
        .args(["run", &format!("http://{}/openapi.json", server.address)])
        .args(["--header", "Authorization: Bearer token"])
        // The stream never ends.
        .args(["--exclude-path", &format!("{LOG}/stream")])
        .args(["--checks", CHECKS, "--max-examples", "50", "--seed", "1", "--continue-on-failure", "--no-color"])
        .env("PYTHONPATH", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SCHEMATHESIS_HOOKS", "schemathesis_hooks");
    // schemathesis leaves files in its working directory.
    let folder = tempfile::tempdir()?;
    let output = schemathesis.current_dir(&folder).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("12 selected / 13 total"), "{said}");
    Ok(())
}
