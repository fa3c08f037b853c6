//! The sandbox as a process of its own, and what it holds.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use serde_json::Value;

use super::Bench;

/// A sandbox that listens until it is dropped.
pub struct Served {
    child: Child,
    /// Its base URL.
    pub base_url: String,
}

impl Served {
    /// Starts `rowferry sandbox` with these arguments on a free port.
    pub fn start(bench: &Bench, arguments: &[&str]) -> Self {
        let mut all = vec!["sandbox"];
        all.extend(arguments);
        all.extend(["--port", "0"]);
        let mut child = bench
            .command(&all)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let base_url = line.trim().to_owned();
        assert!(
            base_url.starts_with("http://127.0.0.1:"),
            "{arguments:?}: {base_url}"
        );
        Self { child, base_url }
    }

    fn get(&self, what: &str) -> Value {
        let host = self
            .base_url
            .trim_start_matches("http://")
            .split('/')
            .next()
            .unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "GET /__sandbox/{what} HTTP/1.0\r\nHost: {host}\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    /// The records that it holds, in the order of their creation.
    pub fn records(&self) -> Vec<Value> {
        match self.get("records") {
            Value::Array(records) => records,
            other => panic!("{other}"),
        }
    }

    /// The record of which this member (a JSON pointer) is this text, without its id.
    pub fn record(&self, pointer: &str, text: &str) -> Value {
        let mut all = self.records();
        all.retain(|record| record.pointer(pointer).and_then(Value::as_str) == Some(text));
        assert_eq!(all.len(), 1, "{pointer} {text}: {all:#?}");
        let mut record = all.remove(0);
        record.as_object_mut().unwrap().remove("id").unwrap();
        record
    }

    /// How many requests of each kind came.
    pub fn stats(&self) -> Value {
        self.get("stats")
    }

    /// The requests that came: method, path, query, status.
    pub fn requests(&self) -> Vec<Value> {
        match self.get("requests") {
            Value::Array(requests) => requests,
            other => panic!("{other}"),
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
