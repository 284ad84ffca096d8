//! Chat completions, as OpenAI's clients ask for them.

use std::{convert::Infallible, time::Duration};

use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

use super::ModelServer;

/// Body of a request.
#[derive(Debug, Deserialize)]
pub struct Chat {
    model: String,
    messages: Vec<Message>,
    #[serde(default)]
    stream: bool,
}

#[derive(Debug, Deserialize)]
struct Message {
    content: String,
}

/// Model that the server does not have.
const UNKNOWN: &str = "unknown-model";

/// Answers with the words of the last message in reverse order, at once or as server-sent events.
pub async fn complete(State(server): State<ModelServer>, Json(chat): Json<Chat>) -> Response {
    server.asked.fetch_add(1, Ordering::SeqCst);
    if chat.model == UNKNOWN {
        let error = json!({ "message": "no such model", "type": "invalid_request_error", "code": "model_not_found" });
        return (StatusCode::NOT_FOUND, Json(json!({ "error": error }))).into_response();
    }
    let last = chat.messages.last().map(|message| message.content.as_str()).unwrap_or_default();
    let words: Vec<String> = last.split_whitespace().rev().map(str::to_owned).collect();
    if !chat.stream {
        let message = json!({ "role": "assistant", "content": words.join(" ") });
        let choice =
            json!({ "index": 0, "message": message, "finish_reason": "stop", "logprobs": null });
        let tokens = words.len();
        let usage = json!({
            "prompt_tokens": tokens, "completion_tokens": tokens, "total_tokens": 2 * tokens
        });
        let mut answer = described(&chat.model, "chat.completion");
        answer["choices"] = json!([choice]);
        answer["usage"] = usage;
        return Json(answer).into_response();
    }
    let model = chat.model.clone();
    let delta = move |content: Value, finish: Option<&str>| {
        let mut chunk = described(&model, "chat.completion.chunk");
        chunk["choices"] = json!([{ "index": 0, "delta": content, "finish_reason": finish }]);
        format!("data: {chunk}\n\n")
    };
    let mut events: Vec<String> = words
        .iter()
        .enumerate()
        .map(|(place, word)| {
            let space = if place == 0 { "" } else { " " };
            delta(json!({ "role": "assistant", "content": format!("{space}{word}") }), None)
        })
        .collect();
    events.push(delta(json!({}), Some("stop")));
    events.push("data: [DONE]\n\n".to_owned());
    let events = stream::iter(events).then(move |event| {
        let produced = server.produced.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            produced.fetch_add(1, Ordering::SeqCst);
            Ok::<_, Infallible>(Bytes::from(event))
        }
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response()
}

fn described(model: &str, object: &str) -> Value {
    json!({ "id": "chatcmpl-1", "object": object, "created": 1_795_996_800, "model": model })
}
