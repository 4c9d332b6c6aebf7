//! A client that follows the log.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use activity_log::ActivityLogEntry;

use crate::server::{PATH, Server, TestResult};

const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Event {
    pub(crate) event: String,
    pub(crate) id: String,
    pub(crate) data: String,
}

pub(crate) struct Events {
    lines: BufReader<TcpStream>,
    /// The status line and the headers.
    pub(crate) head: Vec<String>,
    /// The id of the first block: the stream starts after it.
    pub(crate) begins_after: String,
}

impl Events {
    pub(crate) fn open(server: &Server, query: &str) -> TestResult<Self> {
        Self::open_with(server, query, "")
    }

    /// `headers` are complete lines.
    pub(crate) fn open_with(server: &Server, query: &str, headers: &str) -> TestResult<Self> {
        let mut stream = server.dial()?;
        // An HTTP/1.0 body is not chunked.
        write!(stream, "GET {PATH}/stream?{query} HTTP/1.0\r\nhost: localhost\r\n{headers}\r\n")?;
        let mut events = Self { lines: BufReader::new(stream), head: Vec::new(), begins_after: String::new() };
        while let Some(line) = events.line()?.filter(|line| !line.is_empty()) {
            events.head.push(line);
        }
        if events.head.first().is_some_and(|status| status.contains(" 200 ")) {
            events.begins_after = events.block()?.ok_or("no first block")?.id;
        }
        Ok(events)
    }

    fn line(&mut self) -> TestResult<Option<String>> {
        let mut line = String::new();
        let read = self.lines.read_line(&mut line)?;
        Ok((read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
    }

    fn block(&mut self) -> TestResult<Option<Event>> {
        let mut event = Event::default();
        let started = Instant::now();
        while let Some(line) = self.line()? {
            match line.split_once(": ").unwrap_or((&line, "")) {
                ("event", value) => event.event = value.to_owned(),
                ("id", value) => event.id = value.to_owned(),
                ("data", value) => event.data.push_str(value),
                ("", _) if event != Event::default() => return Ok(Some(event)),
                // A comment. Comments keep the read from timing out, so the limit is checked here.
                _ if started.elapsed() > PATIENCE => return Err("no event arrived".into()),
                _ => {}
            }
        }
        Ok(None)
    }

    /// The next event; `None` when the stream has ended.
    pub(crate) fn next(&mut self) -> TestResult<Option<Event>> {
        self.block()
    }

    /// The messages of the next entries. Also checks that the id of each event is the `seq` of its entry.
    pub(crate) fn messages(&mut self, number: usize) -> TestResult<Vec<String>> {
        (0..number)
            .map(|_| {
                let event = self.next()?.ok_or("the stream has ended")?;
                let entry: ActivityLogEntry = serde_json::from_str(&event.data)?;
                assert_eq!((&*event.event, &*event.id), ("entry", &*entry.seq.to_string()));
                Ok(entry.message)
            })
            .collect()
    }
}
