//! A link between a payer and a gateway on which answers to payments get lost.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// Link to a gateway. It ends with the process.
#[derive(Clone)]
pub struct Link {
    gateway: String,
    http: reqwest::Client,
    fate: Arc<Mutex<Fate>>,
    withheld: Arc<AtomicU64>,
}

/// What happens to the gateway's answers to batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Returned,
    Lost,
    /// They do not arrive, and the connection stays open.
    Withheld,
}

impl Link {
    /// Starts a link; returns it with its URL.
    pub fn start(gateway: &str) -> (Self, String) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let link = Self {
            gateway: gateway.to_owned(),
            http: reqwest::Client::new(),
            fate: Arc::new(Mutex::new(Fate::Returned)),
            withheld: Arc::default(),
        };
        let routes = Router::new().fallback(forward).with_state(link.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, routes).await.unwrap();
            });
        });
        (link, url)
    }

    pub fn set(&self, fate: Fate) {
        *self.fate.lock().unwrap() = fate;
    }

    /// Returns the number of payments whose answers were withheld.
    pub fn withheld(&self) -> u64 {
        self.withheld.load(Ordering::SeqCst)
    }
}

async fn forward(State(link): State<Link>, request: Request) -> Response {
    let path = request.uri().path_and_query().unwrap().to_string();
    let (mut parts, body) = request.into_parts();
    parts.headers.remove("host");
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let sent = link.http.request(parts.method, format!("{}{path}", link.gateway));
    let answer = sent.headers(parts.headers).body(body).send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body: Bytes = answer.bytes().await.unwrap();
    let fate = *link.fate.lock().unwrap();
    if path.ends_with("/batches") && fate != Fate::Returned {
        if fate == Fate::Lost {
            return StatusCode::BAD_GATEWAY.into_response();
        }
        link.withheld.fetch_add(1, Ordering::SeqCst);
        std::future::pending::<()>().await;
    }
    let kind = headers.get("content-type").map_or("", |kind| kind.to_str().unwrap());
    (status, [("content-type", kind)], body).into_response()
}
