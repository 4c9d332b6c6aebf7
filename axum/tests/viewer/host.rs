//! A host, its log, and what it answers.

use std::time::Duration;

use activity_log::{NewActivityLogEntry, Repository};
use activity_log_axum::Viewer;
use axum::Router;
use axum::body::{Body, BodyDataStream, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;
use tower::ServiceExt;

use crate::database::Log;
use crate::viewer::TestResult;

pub(crate) const LOG: &str = "/api/v1/activity-log";

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A viewer as a host mounts it, and its log.
pub(crate) struct Host {
    pub(crate) log: Log,
    pub(crate) router: Router,
}

impl Host {
    /// A viewer at the root, with four connections.
    pub(crate) fn new(options: impl FnOnce(Viewer) -> Viewer) -> TestResult<Self> {
        Self::with_connections(4, options)
    }

    pub(crate) fn with_connections(connections: u32, options: impl FnOnce(Viewer) -> Viewer) -> TestResult<Self> {
        let log = Log::create()?;
        let router = options(Viewer::new(log.pool(connections)?)).into_router();
        Ok(Self { log, router })
    }

    /// Records entries as another program does.
    pub(crate) fn record(&self, messages: &[&str]) -> TestResult {
        let entries = messages.iter().map(|message| entry(message)).collect::<Vec<_>>();
        Repository::new(&mut self.log.connect()?).record_all(&entries)?;
        Ok(())
    }

    pub(crate) async fn get(&self, path: &str) -> TestResult<Answer> {
        get(&self.router, path).await
    }

    pub(crate) async fn list(&self, query: &str) -> TestResult<Value> {
        Ok(self.get(&format!("{LOG}?{query}")).await?.json)
    }

    pub(crate) async fn post(&self, entry: &Value) -> TestResult<Answer> {
        let request = Request::post(LOG).header("content-type", "application/json").body(entry.to_string().into())?;
        send(&self.router, request).await
    }

    pub(crate) async fn delete(&self, query: &str) -> TestResult<Answer> {
        send(&self.router, Request::delete(format!("{LOG}?{query}")).body(Body::empty())?).await
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// `null` where the body is not JSON.
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

pub(crate) async fn get(router: &Router, path: &str) -> TestResult<Answer> {
    send(router, Request::get(path).body(Body::empty())?).await
}

pub(crate) async fn send(router: &Router, request: Request<Body>) -> TestResult<Answer> {
    let (head, body) = router.clone().oneshot(request).await?.into_parts();
    let text = String::from_utf8(to_bytes(body, usize::MAX).await?.to_vec())?;
    let json = serde_json::from_str(&text).unwrap_or_default();
    Ok(Answer { status: head.status, headers: head.headers, text, json })
}

/// An entry of the actor `alice`.
pub(crate) fn entry(message: &str) -> NewActivityLogEntry {
    NewActivityLogEntry::new("device", "device.updated", "alice", message).entity("lamp", "7")
}

/// An entry to post, without an actor.
pub(crate) fn unsigned(message: &str) -> Value {
    json!({"category": "device", "action": "device.updated", "message": message})
}

/// The messages of a page, in order.
pub(crate) fn messages(page: &Value) -> Vec<&str> {
    page["entries"].as_array().into_iter().flatten().filter_map(|entry| entry["message"].as_str()).collect()
}

/// An open stream.
pub(crate) struct Events {
    body: BodyDataStream,
    received: String,
}

impl Events {
    /// Opens a stream and waits for its beginning.
    pub(crate) async fn open(router: &Router, path: &str) -> TestResult<Self> {
        let request = Request::get(path).body(Body::empty())?;
        let response = router.clone().oneshot(request).await?;
        if response.status() != StatusCode::OK {
            return Err(format!("the stream has the status {}", response.status()).into());
        }
        let mut events = Self { body: response.into_body().into_data_stream(), received: String::new() };
        events.next_block().await?.ok_or("the stream has ended")?;
        Ok(events)
    }

    /// The data of the next event; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> TestResult<Option<Value>> {
        while let Some(block) = self.next_block().await? {
            if let Some(data) = block.lines().find_map(|line| line.strip_prefix("data: ")) {
                return Ok(Some(serde_json::from_str(data)?));
            }
        }
        Ok(None)
    }

    async fn next_block(&mut self) -> TestResult<Option<String>> {
        loop {
            if let Some((block, rest)) = self.received.split_once("\n\n") {
                let block = block.to_owned();
                self.received = rest.to_owned();
                return Ok(Some(block));
            }
            match timeout(PATIENCE, self.body.next()).await? {
                Some(bytes) => self.received += std::str::from_utf8(&bytes?)?,
                None => return Ok(None),
            }
        }
    }
}
