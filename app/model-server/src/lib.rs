//! Example of a model server, without any code for payments: it renders pictures, writes texts and streams
//! stories from a prompt. Requests can ask it to fail, for tests.

mod chat;
mod picture;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use futures::stream;
use serde::Deserialize;
use serde_json::json;
use tokio::{net::TcpListener, sync::Notify};

pub use picture::paint;

/// Model server with counters for tests.
#[derive(Clone, Debug, Default)]
pub struct ModelServer {
    asked: Arc<AtomicU64>,
    produced: Arc<AtomicU64>,
    released: Arc<Notify>,
}

/// Body of a request.
#[derive(Debug, Deserialize)]
struct Wanted {
    prompt: String,
    #[serde(default)]
    style: String,
    #[serde(default = "side")]
    side: u32,
    /// Number of pictures, or of thousands of tokens.
    #[serde(default = "one")]
    count: u32,
    /// Number of tokens of a story.
    #[serde(default)]
    tokens: u32,
    /// Requested failure.
    #[serde(default)]
    fail: Option<Failure>,
}

/// Requested failure, for tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Failure {
    /// Status 500.
    Error,
    /// Status 422: the prompt is refused.
    Refuse,
    /// Redirects the client.
    Redirect,
    /// Never answers.
    Hang,
    /// Takes a second.
    Slow,
    /// Answers after a call of [`ModelServer::release`].
    Held,
    /// Breaks the connection in the middle of the answer.
    Midway,
    /// Answers without an end.
    Endless,
    /// Reports a million units.
    Lie,
    /// Reports no units.
    Silent,
    /// Sends a forged receipt.
    Forge,
}

fn side() -> u32 {
    128
}

fn one() -> u32 {
    1
}

impl ModelServer {
    /// Serves the routes on a listener.
    ///
    /// # Errors
    /// Those of the listener.
    pub async fn serve(self, listener: TcpListener) -> std::io::Result<()> {
        axum::serve(listener, self.router()).await
    }

    /// Returns the routes.
    pub fn router(self) -> Router {
        Router::new()
            .route("/health", get(async || "well"))
            .route("/echo", post(echo))
            .route("/images", post(images))
            .route("/pictures", post(images))
            .route("/texts", post(texts))
            .route("/stories", post(stories))
            .route("/v1/chat/completions", post(chat::complete))
            .with_state(self)
    }

    /// Returns the number of requests to paid routes.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    /// Waits until this number of requests to paid routes has arrived.
    pub async fn wait_for_asked(&self, number: u64) {
        while self.asked() < number {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Lets one held request continue, or the next one if none is held.
    pub fn release(&self) {
        self.released.notify_one();
    }

    /// Returns the number of generated story tokens.
    pub fn produced(&self) -> u64 {
        self.produced.load(Ordering::SeqCst)
    }
}

/// Returns the request's target and headers.
async fn echo(headers: HeaderMap, request: Request) -> Json<serde_json::Value> {
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let told = headers.iter().map(|(name, value)| (name.to_string(), text(value)));
    let told: BTreeMap<_, _> = told.collect();
    Json(json!({ "target": request.uri().to_string(), "headers": told }))
}

/// Returns a picture, with its units in a header.
async fn images(State(server): State<ModelServer>, Json(wanted): Json<Wanted>) -> Response {
    server.asked.fetch_add(1, Ordering::SeqCst);
    if let Some(failed) = fail(&server, wanted.fail).await {
        return failed;
    }
    let Wanted { prompt, style, side, count, fail, .. } = wanted;
    let painted = tokio::task::spawn_blocking(move || paint(&prompt, &style, side)).await;
    let Ok(picture) = painted else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let units = match fail {
        Some(Failure::Lie) => "1000000".to_owned(),
        _ => count.to_string(),
    };
    let mut response = ([(header::CONTENT_TYPE, "image/png")], picture).into_response();
    let headers = response.headers_mut();
    if let (Ok(units), false) = (units.parse(), fail == Some(Failure::Silent)) {
        headers.insert("x-units", units);
    }
    if fail == Some(Failure::Forge) {
        headers.insert("motif-receipt", header::HeaderValue::from_static("forged"));
        headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("public"));
    }
    response
}

/// Returns a text, with its tokens in a field of the JSON.
async fn texts(State(server): State<ModelServer>, Json(wanted): Json<Wanted>) -> Response {
    server.asked.fetch_add(1, Ordering::SeqCst);
    if let Some(failed) = fail(&server, wanted.fail).await {
        return failed;
    }
    let words: Vec<_> = wanted.prompt.split_whitespace().rev().collect();
    let tokens = if wanted.tokens == 0 { words.len() as u32 } else { wanted.tokens };
    match wanted.fail {
        Some(Failure::Silent) => Json(json!({ "text": words.join(" ") })).into_response(),
        _ => {
            Json(json!({ "text": words.join(" "), "usage": { "tokens": tokens } })).into_response()
        }
    }
}

/// Streams a story, one token per line.
async fn stories(State(server): State<ModelServer>, Json(wanted): Json<Wanted>) -> Response {
    server.asked.fetch_add(1, Ordering::SeqCst);
    if let Some(failed) = fail(&server, wanted.fail.filter(|fail| *fail != Failure::Midway)).await {
        return failed;
    }
    let (produced, tokens) = (server.produced.clone(), wanted.tokens);
    let breaks_at = (wanted.fail == Some(Failure::Midway)).then_some(tokens / 2);
    let lines = stream::unfold(0, move |number| {
        let (produced, prompt) = (produced.clone(), wanted.prompt.clone());
        async move {
            if Some(number) == breaks_at {
                return Some((Err(std::io::Error::other("told to break off")), u32::MAX));
            }
            if number >= tokens {
                return None;
            }
            produced.fetch_add(1, Ordering::SeqCst);
            Some((Ok(Bytes::from(format!("{prompt}-{number}\n"))), number + 1))
        }
    });
    ([(header::CONTENT_TYPE, "text/plain")], Body::from_stream(lines)).into_response()
}

/// Returns the requested failure if it precedes the generation.
async fn fail(server: &ModelServer, how: Option<Failure>) -> Option<Response> {
    match how? {
        Failure::Error => Some((StatusCode::INTERNAL_SERVER_ERROR, "secret cause").into_response()),
        Failure::Refuse => {
            Some((StatusCode::UNPROCESSABLE_ENTITY, "this prompt is too odd").into_response())
        }
        Failure::Redirect => Some(Redirect::temporary("http://127.0.0.1:1/inside").into_response()),
        Failure::Hang => {
            tokio::time::sleep(Duration::from_secs(3_600)).await;
            None
        }
        Failure::Slow => {
            tokio::time::sleep(Duration::from_secs(1)).await;
            None
        }
        Failure::Held => {
            server.released.notified().await;
            None
        }
        Failure::Midway => {
            let half =
                [Ok(Bytes::from_static(b"half a pic")), Err(std::io::Error::other("told to"))];
            let headers = [("x-units", "1"), ("content-type", "image/png")];
            Some((headers, Body::from_stream(stream::iter(half))).into_response())
        }
        Failure::Endless => {
            let endless =
                stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![0; 65_536])));
            Some(([("x-units", "1")], Body::from_stream(endless)).into_response())
        }
        Failure::Lie | Failure::Silent | Failure::Forge => None,
    }
}
