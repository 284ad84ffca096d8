use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use motif_paywall::{PaidRoutes, Paywall, PaywallConfig, PaywallLayer, PaywallService};
use motif_sdk::{
    gateway::wire::{
        Address, AskToPay, Digest, Due, PayForAnswer, PayerProof, Payment, PaymentRequired,
        Problem, SignatureHex,
    },
    voucher::{SignedVoucher, Voucher},
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::{Layer, ServiceExt};

use crate::engine::{CHANNEL, Engine, NOW, WORK};

/// A sold server and its payment engine.
pub struct Shop {
    pub engine: Engine,
    /// Number of requests that reached the server.
    pub served: Arc<AtomicU32>,
    service: PaywallService<Router>,
    folder: TempDir,
}

/// Response with its body.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

pub const KEY: &str = "the-request-key";

fn routes() -> String {
    let route = |path: &str, more: &str| {
        format!(
            "[[route]]\nmethod = \"POST\"\npath = \"{path}\"\nwork = \"{WORK}\"\n\
             use = \"generate\"\nmost_units = 3\n{more}\n"
        )
    };
    [
        route("/poems", "units = { count = \"lines\" }"),
        route("/metered", "units = { header = \"x-units\" }"),
        route("/broken", "units = { fixed = 1 }"),
        route("/busy", "units = { fixed = 1 }"),
        route("/judged", "units = { fixed = 1 }\nanswer = { lacks = \"/error\" }"),
        route(
            "/jobs",
            "units = { fixed = 1 }\nanswer = { has = \"/output\", otherwise = \"pass\" }",
        ),
        route("/endless", "units = { count = \"lines\" }"),
        route("/stories", "units = { count = \"lines\" }\nmost_units = 1\nstream = true").replacen(
            "most_units = 3\n",
            "",
            1,
        ),
        "[[free]]\nmethod = \"GET\"\npath = \"/health\"".to_owned(),
    ]
    .join("\n")
}

/// Answers with the status and the body of the request's lines, and with what it was told of
/// codings and ranges.
async fn judged(headers: HeaderMap, body: String) -> Response {
    let (status, body) = body.split_once('\n').unwrap_or_default();
    let status = StatusCode::from_bytes(status.as_bytes()).unwrap();
    let told = |name| headers.get(name).map_or("none", |value| value.to_str().unwrap()).to_owned();
    let told = [("x-coding", told("accept-encoding")), ("x-range", told("range"))];
    (status, told, body.to_owned()).into_response()
}

impl Shop {
    pub fn new() -> Self {
        Self::with(|_| ())
    }

    pub fn with(configure: impl FnOnce(&mut PaywallConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let routes = PaidRoutes::read(&routes(), "paywall.toml").unwrap();
        let mut config = PaywallConfig::new(routes, folder.path().join("answers"));
        configure(&mut config);
        let (engine, served) = (Engine::default(), Arc::new(AtomicU32::new(0)));
        let stop = CancellationToken::new();
        let paywall = Paywall::open(Arc::new(engine.clone()), config, stop).unwrap();
        let count = served.clone();
        let server = Router::new()
            .route("/poems", post(async || "Roses are red,\nviolets are blue"))
            .route("/metered", post(async |body: String| ([("x-units", body)], "bytes")))
            .route("/judged", post(judged))
            .route("/jobs", post(judged))
            .route(
                "/busy",
                post(async || (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "7")])),
            )
            .route("/broken", post(async || StatusCode::INTERNAL_SERVER_ERROR))
            .route("/endless", post(std::future::pending::<()>))
            .route("/stories", post(async || "once\nupon\n"))
            .route("/health", get(async || "well"))
            .layer(axum::middleware::map_request(move |request: Request| {
                count.fetch_add(1, Ordering::Relaxed);
                async { request }
            }));
        let service = PaywallLayer::new(paywall).layer(server);
        Self { engine, served, service, folder }
    }

    /// Changes the last byte of every stored answer.
    pub fn damage_answers(&self) {
        for entry in std::fs::read_dir(self.folder.path().join("answers")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "answer") {
                let mut bytes = std::fs::read(&path).unwrap();
                *bytes.last_mut().unwrap() ^= 1;
                std::fs::write(&path, bytes).unwrap();
            }
        }
    }

    /// Has the writes of an answer fail as on a full disk.
    pub fn fill_disk(&self, answer: &Digest) {
        let link = self.folder.path().join("answers").join(format!("{answer}.writing"));
        std::os::unix::fs::symlink("/dev/full", link).unwrap();
    }

    /// Returns the number of stored and half-written answers.
    pub fn answers(&self) -> usize {
        let files = std::fs::read_dir(self.folder.path().join("answers")).unwrap();
        let endings =
            files.filter_map(|file| file.unwrap().path().extension().map(ToOwned::to_owned));
        endings.filter(|ending| ending == "answer" || ending == "writing").count()
    }

    pub fn owed(&self) -> u64 {
        self.engine.state().owed
    }

    pub fn requests(&self) -> u32 {
        self.served.load(Ordering::Relaxed)
    }

    /// Sends a request, with a payment if there is one.
    pub fn open(
        &self,
        path: &str,
        payment: Option<&Payment>,
        body: &'static str,
    ) -> impl Future<Output = Response> + use<> {
        let mut request = Request::post(path).header("idempotency-key", KEY);
        if let Some(payment) = payment {
            request = request.header(Payment::HEADER, payment.to_header());
        }
        self.call(request.body(body.into()).unwrap())
    }

    pub fn call(&self, request: Request) -> impl Future<Output = Response> + use<> {
        let service = self.service.clone();
        async { service.oneshot(request).await.unwrap_or_else(|error| error.into_response()) }
    }

    pub async fn send(&self, path: &str, payment: Option<&Payment>, body: &'static str) -> Answer {
        Answer::of(self.open(path, payment, body).await).await
    }

    /// Asks for an answer of at most `units`, without a voucher.
    pub async fn ask(&self, path: &str, units: u32, body: &'static str) -> Answer {
        self.send(path, Some(&Payment::Ask(ask(units, None))), body).await
    }
}

impl Answer {
    pub async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = to_bytes(Body::new(body), 1 << 20).await.unwrap();
        Self { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    #[track_caller]
    pub fn assert_problem(&self, status: u16, slug: &str) -> Problem {
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!((self.status, &problem.slug[..]), (status, slug), "{problem:?}");
        problem
    }

    /// Returns the payment that is due, which header and body state alike.
    #[track_caller]
    pub fn due(&self) -> Due {
        let problem = self.assert_problem(402, "payment-due");
        let header = self.headers[PaymentRequired::HEADER].to_str().unwrap();
        let required = PaymentRequired::from_header(header).unwrap();
        assert_eq!(problem.payment.as_ref(), Some(&required));
        match required {
            PaymentRequired::Due(due) => *due,
            PaymentRequired::PriceTag(_) => panic!("expected a payment that is due"),
        }
    }
}

/// Returns a request for an answer. The engine accepts its proof.
pub fn ask(units: u32, voucher: Option<SignedVoucher>) -> AskToPay {
    let signer = Address(CHANNEL);
    AskToPay {
        channel: Address(CHANNEL),
        license: 0,
        units,
        expires_at: NOW + 300,
        proof: PayerProof { signer, issued_at: NOW, signature: SignatureHex([9; 64]) },
        voucher,
    }
}

/// Returns a voucher for a total.
pub fn voucher(cumulative: u64) -> SignedVoucher {
    let voucher = Voucher {
        cluster: [3; 32],
        channel: CHANNEL,
        opened_slot: 5,
        statement: 0,
        cumulative,
        statement_digest: [6; 32],
        expires_at: NOW + 86_400,
    };
    SignedVoucher { voucher, key: CHANNEL, signature: [8; 64] }
}

/// Returns the payment of what is due by a voucher for `cumulative`.
pub fn pay(due: &Due, cumulative: u64) -> Payment {
    let voucher = voucher(cumulative);
    Payment::Pay(PayForAnswer { channel: Address(CHANNEL), answer: due.answer, voucher })
}
