//! Spans that a collector receives.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use motif_gateway::TraceConfig;
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    common::v1::any_value::Value,
    trace::v1::{Span, span::SpanKind, status::StatusCode as Outcome},
};
use prost::Message;
use reqwest::{Client, Method, header::CONTENT_TYPE};
use tokio::net::TcpListener;

use crate::{
    sold::Sold,
    world::{Answer, CHANNEL, World, with_admin},
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// Collector that records exported spans.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Bytes>>>);

impl Collector {
    async fn listen() -> (Self, TraceConfig) {
        let collector = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/traces", post(Self::take));
        let router = router.with_state(collector.clone());
        tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        (collector, TraceConfig::new(&url))
    }

    async fn take(
        State(collector): State<Self>,
        headers: axum::http::HeaderMap,
        body: Bytes,
    ) -> (StatusCode, Vec<u8>) {
        assert_eq!(headers[CONTENT_TYPE], "application/x-protobuf");
        collector.0.lock().unwrap().push(body);
        (StatusCode::OK, ExportTraceServiceResponse::default().encode_to_vec())
    }

    fn batches(&self) -> Vec<ExportTraceServiceRequest> {
        let taken = self.0.lock().unwrap();
        taken.iter().map(|body| ExportTraceServiceRequest::decode(&body[..]).unwrap()).collect()
    }

    fn spans(&self) -> Vec<Span> {
        let resources = self.batches().into_iter().flat_map(|batch| batch.resource_spans);
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }

    /// Returns the only span of this name.
    fn span(&self, name: &str) -> Span {
        let spans = self.spans();
        let names: Vec<_> = spans.iter().map(|span| &span.name).collect();
        let mut found = spans.iter().filter(|span| span.name == name);
        let span = found.next().unwrap_or_else(|| panic!("no {name} in {names:?}")).clone();
        assert!(found.next().is_none(), "{name} twice in {names:?}");
        span
    }

    fn has(&self, what: &[u8]) -> bool {
        let taken = self.0.lock().unwrap();
        taken.iter().any(|body| body.windows(what.len()).any(|part| part == what))
    }
}

fn fact(span: &Span, key: &str) -> String {
    let value = span.attributes.iter().find(|pair| pair.key == key);
    match value.and_then(|pair| pair.value.as_ref()?.value.clone()) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{key} of {} is {other:?}", span.name),
    }
}

fn outcome(span: &Span) -> Outcome {
    span.status.as_ref().map_or(Outcome::Unset, |status| status.code())
}

#[tokio::test]
async fn request_joins_callers_trace() {
    let (collector, config) = Collector::listen().await;
    let world = World::with(|gateway| {
        with_admin(gateway);
        gateway.traces = Some(config);
    })
    .await;
    let request = world.next_request().await;
    let path = format!("/v1/channels/{CHANNEL}/generations");
    let asked = Client::new()
        .post(format!("{}{path}", world.gateway.url()))
        .header("traceparent", format!("00-{TRACE}-{CALLER}-01"))
        .header("x-request-id", "a-request-of-a-proxy")
        .header("idempotency-key", "canary-of-a-key")
        .json(&request);
    Answer::to(asked).await.assert_ok();
    let refused = world.send(Method::GET, "/v1/works/nonsense?canary=1", None, None).await;
    assert_eq!(refused.problem().status, 400);
    world.admin().settle(&CHANNEL).await.unwrap();
    world.gateway.shutdown().await;

    let paid = collector.span("POST /v1/channels/{channel}/generations");
    assert_eq!(hex(&paid.trace_id), TRACE);
    assert_eq!(hex(&paid.parent_span_id), CALLER);
    assert_eq!((paid.kind(), outcome(&paid)), (SpanKind::Server, Outcome::Unset));
    assert_eq!(fact(&paid, "http.route"), "/v1/channels/{channel}/generations");
    assert_eq!(fact(&paid, "http.response.status_code"), "200");
    assert_eq!(fact(&paid, "motif.request_id"), "a-request-of-a-proxy");
    assert_eq!(fact(&paid, "motif.channel"), CHANNEL.to_string());
    assert_eq!(fact(&paid, "motif.outcome"), "done");
    // Its commit is a child within its time.
    let spans = collector.spans();
    let parts: Vec<_> = spans.iter().filter(|span| span.parent_span_id == paid.span_id).collect();
    assert_eq!(parts.iter().map(|part| &part.name[..]).collect::<Vec<_>>(), ["commit"]);
    assert!(parts[0].start_time_unix_nano >= paid.start_time_unix_nano);
    assert!(parts[0].end_time_unix_nano <= paid.end_time_unix_nano);

    let refused = collector.span("GET /v1/works/{work}");
    assert_ne!(hex(&refused.trace_id), TRACE);
    assert_eq!(fact(&refused, "motif.outcome"), "invalid-path");
    // A client's error does not mark the span as failed.
    assert_eq!(outcome(&refused), Outcome::Unset);

    let settled = collector.span("settle");
    let asked = collector.span("POST /v1/channels/{channel}/settlements");
    assert_eq!((settled.trace_id, settled.parent_span_id), (asked.trace_id, asked.span_id));
    assert_eq!(fact(&collector.span("settle"), "motif.channel"), CHANNEL.to_string());

    let resource = collector.batches()[0].resource_spans[0].resource.clone().unwrap();
    assert!(format!("{resource:?}").contains("motif-gateway"));
    let request = serde_json::to_value(request).unwrap();
    let signature = &request["voucher"]["signature"];
    for secret in ["canary", signature.as_str().unwrap(), crate::world::SECRET] {
        assert!(!collector.has(secret.as_bytes()), "a collector gets to see {secret}");
    }
}

#[tokio::test]
async fn tracing_is_sampled() {
    let (collector, config) = Collector::listen().await;
    let none = TraceConfig { sampled_bps: 0, ..config };
    let world = World::with(|gateway| gateway.traces = Some(none)).await;
    let get = async |traceparent: &str| {
        let asked = Client::new().get(format!("{}/v1/operator", world.gateway.url()));
        Answer::to(asked.header("traceparent", traceparent)).await.assert_ok();
    };
    get(&format!("00-{TRACE}-{CALLER}-00")).await;
    // An unreadable header is ignored.
    for unread in ["", "00-nonsense-nonsense-01", &format!("00-{TRACE}-0000000000000000-01")] {
        get(unread).await;
    }
    get(&format!("00-{TRACE}-{CALLER}-01")).await;
    world.gateway.shutdown().await;
    let spans = collector.spans();
    assert!(!spans.is_empty());
    for span in spans {
        assert_eq!((hex(&span.trace_id), &span.name[..]), (TRACE.to_owned(), "GET /v1/operator"));
    }
}

#[tokio::test]
async fn upstream_joins_request_trace() {
    let (collector, config) = Collector::listen().await;
    let mut sold = Sold::with_gateway(|gateway| gateway.traces = Some(config)).await;
    let request = sold.request("/images", serde_json::json!({ "prompt": "New York" }));
    sold.fetch(&request).await.unwrap();
    let asked = Client::new().post(sold.url("/echo"));
    let asked = asked.header("traceparent", format!("00-{TRACE}-{CALLER}-01"));
    let told: serde_json::Value = asked.send().await.unwrap().json().await.unwrap();
    let told = told["headers"]["traceparent"].as_str().unwrap().to_owned();
    sold.world.gateway.shutdown().await;

    let spans = collector.spans();
    let within = |trace: &str| {
        let spans = spans.iter();
        spans.filter(|span| hex(&span.trace_id) == trace).cloned().collect::<Vec<_>>()
    };
    let asked = within(TRACE);
    let server = asked.iter().find(|span| span.name == "model server").unwrap();
    assert_eq!(told, format!("00-{TRACE}-{}-01", hex(&server.span_id)));
    let made =
        spans.iter().find(|span| span.name == "model server" && hex(&span.trace_id) != TRACE);
    let made = within(&hex(&made.unwrap().trace_id));
    let request = made.iter().find(|span| span.kind() == SpanKind::Server).unwrap();
    assert_eq!(fact(request, "http.route"), "/images");
    assert_eq!(fact(request, "motif.channel"), CHANNEL.to_string());
    assert_eq!(fact(request, "motif.outcome"), "payment-due");
}

#[tokio::test]
async fn absent_collector_delays_no_request() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_url = format!("http://{}/v1/traces", silent.local_addr().unwrap());
    for url in ["http://127.0.0.1:9/v1/traces", &silent_url] {
        let world = World::with(|gateway| gateway.traces = Some(TraceConfig::new(url))).await;
        let begun = Instant::now();
        // More spans than fit the queue.
        let (client, alive) = (Client::new(), format!("{}/healthz", world.gateway.url()));
        for _ in 0..3_000 {
            Answer::to(client.get(&alive)).await.assert_ok();
        }
        world.generate("the-first-key", &world.next_request().await).await.assert_ok();
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(60), "{took:?}");
        let app = world.gateway.app().clone();
        let begun = Instant::now();
        world.gateway.shutdown().await;
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(15), "{took:?}");
        if url != silent_url {
            assert!(app.metrics.trace_failures.get() > 0);
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
