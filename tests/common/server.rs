//! A scripted HTTP/1.1 server: a closure answers, everything that was asked is kept.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its place among all requests, from 0.
    pub number: usize,
    /// When it came.
    pub at: Instant,
    /// GET, POST, …
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What the server does with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// An answer: status, further headers, body.
    Answer(u16, Vec<(String, String)>, Vec<u8>),
    /// The connection is cut without a word.
    Cut,
    /// An answer after which the connection is closed, unannounced.
    Last(u16, Vec<u8>),
    /// The head of an answer and a part of its body, then the connection is cut.
    HalfAnswer(u16, Vec<u8>),
    /// Another reply, after so much time.
    Later(Duration, Box<Reply>),
}

impl Request {
    /// The path without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    /// Method and path: `POST /customers`.
    pub fn route(&self) -> String {
        format!("{} {}", self.method, self.path())
    }

    /// A parameter of the query, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        let query = self.target.split_once('?')?.1;
        pairs(query.as_bytes())
            .into_iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The body as a form's pairs.
    pub fn form(&self) -> Vec<(String, String)> {
        pairs(&self.body)
    }
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

impl Reply {
    /// A JSON answer.
    pub fn json(status: u16, body: Value) -> Self {
        let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        Self::Answer(status, headers, body.to_string().into_bytes())
    }

    /// An answer of a status alone.
    pub fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), Vec::new())
    }

    /// With one more header.
    pub fn with(self, name: &str, value: &str) -> Self {
        match self {
            Self::Answer(status, mut headers, body) => {
                headers.push((name.to_owned(), value.to_owned()));
                Self::Answer(status, headers, body)
            }
            other => other,
        }
    }
}

type Log = Arc<Mutex<Vec<Request>>>;

/// The server; its threads end with the test program.
pub struct Server {
    port: u16,
    log: Log,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Begins to answer by `script`. Calls of it come one after another.
    pub fn start(script: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Log::default();
        let script = Arc::new(Mutex::new(script));
        let kept = Arc::clone(&log);
        let connections = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::Relaxed);
                let (log, script) = (Arc::clone(&kept), Arc::clone(&script));
                thread::spawn(move || serve(stream, &log, &script));
            }
        });
        Self {
            port,
            log,
            connections,
        }
    }

    /// Where it listens: `http://127.0.0.1:…`.
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Connections that were made so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }

    /// Those of a route such as `POST /customers`.
    pub fn of(&self, route: &str) -> Vec<Request> {
        self.requests()
            .into_iter()
            .filter(|request| request.route() == route)
            .collect()
    }

    /// The routes in the order of the requests.
    pub fn routes(&self) -> Vec<String> {
        self.requests().iter().map(Request::route).collect()
    }
}

fn serve<F: FnMut(&Request) -> Reply>(stream: TcpStream, log: &Log, script: &Mutex<F>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(mut request) = read(&mut reader) {
        // The lock of the script orders the requests.
        let reply = {
            let mut script = script.lock().unwrap();
            {
                let mut log = log.lock().unwrap();
                request.number = log.len();
                log.push(request.clone());
            }
            script(&request)
        };
        let reply = match reply {
            Reply::Later(time, reply) => {
                thread::sleep(time);
                *reply
            }
            reply => reply,
        };
        let mut out = Vec::new();
        match reply {
            // One wait is enough.
            Reply::Later(..) => return,
            Reply::Cut => return,
            Reply::Last(status, body) => {
                let _ = write!(
                    out,
                    "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n",
                    body.len()
                );
                out.extend_from_slice(&body);
                let _ = stream.write_all(&out);
                return;
            }
            Reply::HalfAnswer(status, body) => {
                let _ = write!(
                    out,
                    "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n",
                    body.len() + 10
                );
                out.extend_from_slice(&body);
                let _ = stream.write_all(&out);
                return;
            }
            Reply::Answer(status, headers, body) => {
                let _ = write!(out, "HTTP/1.1 {status} X\r\n");
                for (name, value) in headers {
                    let _ = write!(out, "{name}: {value}\r\n");
                }
                if status != 204 {
                    let _ = write!(out, "Content-Length: {}\r\n", body.len());
                }
                out.extend_from_slice(b"\r\n");
                out.extend_from_slice(&body);
                if stream.write_all(&out).is_err() {
                    return;
                }
            }
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader
        .read_line(&mut line)
        .ok()
        .filter(|length| *length > 0)?;
    let mut parts = line.split_whitespace();
    let (method, target) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader
            .read_line(&mut line)
            .ok()
            .filter(|length| *length > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request {
        number: 0,
        at: Instant::now(),
        method,
        target,
        headers,
        body,
    })
}
