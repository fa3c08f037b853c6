//! Answers before they are sent, and what they count as.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use serde_json::Value;

use super::refuse::{Refused, Shapes};

/// What an answer's body is.
#[derive(Debug, Clone)]
pub(super) enum Payload {
    /// There is none.
    None,
    /// JSON.
    Json(Value),
    /// JSON of the type `application/problem+json`.
    Problem(Value),
    /// JSON that was written before.
    Written(Bytes),
}

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) payload: Payload,
    pub(super) headers: Vec<(String, String)>,
    /// Records made, changed, refused.
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) refused: u64,
}

impl Reply {
    /// A success; 204 and 205 have no body.
    pub(super) fn success(status: u16, body: Value) -> Self {
        let payload = match status {
            204 | 205 => Payload::None,
            _ => Payload::Json(body),
        };
        Self {
            status,
            payload,
            headers: Vec::new(),
            created: 0,
            updated: 0,
            refused: 0,
        }
    }

    /// A refusal in the vendor's shape.
    pub(super) fn refusal(shapes: &Shapes, refused: &Refused) -> Self {
        let (body, problem) = shapes.body(refused);
        let payload = if problem {
            Payload::Problem(body)
        } else {
            Payload::Json(body)
        };
        Self {
            payload,
            refused: u64::from(matches!(refused.status, 400 | 402..=428 | 430..=499)),
            ..Self::success(refused.status, Value::Null)
        }
    }

    pub(super) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// The body as bytes.
    pub(super) fn bytes(&self) -> Bytes {
        match &self.payload {
            Payload::None => Bytes::new(),
            Payload::Json(value) | Payload::Problem(value) => value.to_string().into(),
            Payload::Written(bytes) => bytes.clone(),
        }
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let media = match &self.payload {
            Payload::None => None,
            Payload::Problem(_) => Some("application/problem+json"),
            Payload::Json(_) | Payload::Written(_) => Some("application/json"),
        };
        let mut response = Response::new(Body::from(self.bytes()));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if let Some(media) = media {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        }
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (
                HeaderName::from_bytes(name.as_bytes()),
                HeaderValue::from_str(value),
            ) {
                headers.insert(name, value);
            }
        }
        response
    }
}
