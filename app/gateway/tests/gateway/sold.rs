use std::sync::Arc;

use motif_gateway::{GatewayConfig, PaywallListener};
use motif_paywall::{PaidRoutes, PaywallConfig};
use motif_sdk::{
    Pubkey,
    gateway::{
        GatewayError, IdempotencyKey, PaidAnswer, PaidRequest, PaidUnits, Payer, PayerAction,
        PayerOptions, PayerPolicy, PayerRequest, PaywallClient, hold_details,
        wire::{Address, AskToPay, Due, PayForAnswer, PayerProof, Payment, PaymentRequired},
    },
    voucher::{SignedVoucher, Statement, Voucher},
};
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;

use crate::model_server::ModelServer;
use crate::world::{Answer, CHANNEL, World, license, voucher_key};

/// World with a paywall in front of a model server.
pub struct Sold {
    pub world: World,
    pub server: ModelServer,
    pub session: Payer,
    pub client: PaywallClient,
    _folder: Arc<TempDir>,
}

/// Work of all routes.
pub const WORK: Pubkey = Pubkey::new_from_array([7; 32]);

fn routes(upstream: &str) -> String {
    let route = |path: &str, more: &str| {
        format!(
            "[[route]]\nmethod = \"POST\"\npath = \"{path}\"\nwork = \"{WORK}\"\n\
             use = \"generate\"\n{more}\n"
        )
    };
    let limits = "answer_seconds = 3\nmost_answer_bytes = 200000\nmost_request_bytes = 1000";
    [
        format!("upstream = \"{upstream}\""),
        route("/pictures", &format!("units = {{ fixed = 1 }}\n{limits}")),
        route("/images", &format!("units = {{ header = \"x-units\" }}\nmost_units = 4\n{limits}")),
        route(
            "/texts",
            &format!(
                "units = {{ json = \"/usage/tokens\" }}\nper = 10\nmost_units = 3\n\
                 missing = \"held\"\n{limits}"
            ),
        ),
        route(
            "/stories",
            &format!("units = {{ count = \"lines\" }}\nper = 10\nstream = true\n{limits}"),
        ),
        "[[free]]\nmethod = \"GET\"\npath = \"/health\"".to_owned(),
        "[[free]]\nmethod = \"POST\"\npath = \"/echo\"".to_owned(),
    ]
    .join("\n")
}

impl Sold {
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    pub async fn with(configure: impl FnOnce(&mut PaywallConfig)) -> Self {
        Self::limited(payments::License::UNLIMITED, configure).await
    }

    /// As [`Sold::new`], with a changed configuration.
    pub async fn with_gateway(configure: impl FnOnce(&mut GatewayConfig)) -> Self {
        Self::configured(payments::License::UNLIMITED, |_| (), configure).await
    }

    /// As [`Sold::with`], with this many units on the license.
    pub async fn limited(units: u64, configure: impl FnOnce(&mut PaywallConfig)) -> Self {
        Self::configured(units, configure, |_| ()).await
    }

    pub async fn configured(
        units: u64,
        configure: impl FnOnce(&mut PaywallConfig),
        configure_gateway: impl FnOnce(&mut GatewayConfig),
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = format!("http://{}", listener.local_addr().unwrap());
        let server = ModelServer::default();
        let serving = axum::serve(listener, server.clone().router());
        tokio::spawn(async move { serving.await.unwrap() });
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let routes = PaidRoutes::read(&routes(&upstream), "paywall.toml").unwrap();
        let listen = "127.0.0.1:0".parse().unwrap();
        let mut paywall = PaywallConfig::new(routes, folder.path().join("spool"));
        configure(&mut paywall);
        let world = World::unopened(|config| {
            config.paywall = Some(PaywallListener { listen, paywall });
            configure_gateway(config);
        })
        .await;
        let only = payments::License { units_left: units, ..license(100) };
        world.chain.state().channels.get_mut(&CHANNEL).unwrap().licenses[0] = only;
        world.client().open_channel(&CHANNEL).await.unwrap();
        let session = session(&world).await;
        let client = PaywallClient::new().patience(std::time::Duration::ZERO);
        Self { world, server, session, client, _folder: folder }
    }

    /// Starts another process on the same database, with its own folder of answers.
    pub async fn second(&self) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let spool = folder.path().join("spool");
        let world =
            self.world.second(|config| config.paywall.as_mut().unwrap().paywall.spool = spool);
        let world = world.await;
        let session = session(&world).await;
        let (server, client) = (self.server.clone(), self.client.clone());
        Self { world, server, session, client, _folder: folder }
    }

    /// Returns the same request to this process.
    pub fn here(&self, request: &PaidRequest) -> PaidRequest {
        let url: reqwest::Url = request.url.parse().unwrap();
        PaidRequest { url: self.url(url.path()), ..request.clone() }
    }

    /// Publishes terms for the work, so that it has a price.
    pub fn publish(&self) {
        crate::works::publish(&self.world);
        let mut state = self.world.chain.state();
        let work = state.works[&crate::works::WORK].clone();
        let number = work.latest_terms;
        let terms = state.terms[&(crate::works::WORK, number)].clone();
        state.works.insert(WORK, work);
        state.terms.insert((WORK, number), terms);
    }

    /// Kills and restarts the gateway, with a new payer session.
    pub async fn restarted(self) -> Self {
        let world = self.world.restarted(false).await;
        let session = session(&world).await;
        Self { world, session, ..self }
    }

    /// Replaces the world, with a new payer session.
    pub async fn with_world(self, replace: impl AsyncFnOnce(World) -> World) -> Self {
        let world = replace(self.world).await;
        let session = session(&world).await;
        Self { world, session, ..self }
    }

    pub fn url(&self, path: &str) -> String {
        self.world.gateway.paywall_url().unwrap() + path
    }

    /// Returns an honest request to a paid route.
    pub fn request(&self, path: &str, body: Value) -> PaidRequest {
        let units = match path {
            "/pictures" => PaidUnits::Exactly(1),
            "/images" => PaidUnits::AtMost(4),
            "/texts" => PaidUnits::AtMost(3),
            _ => PaidUnits::AtMost(1),
        };
        PaidRequest {
            method: Method::POST,
            url: self.url(path),
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.to_string().into_bytes(),
            license: 0,
            units,
            key: IdempotencyKey::random(),
            expires_at: now() + 300,
        }
    }

    pub async fn fetch(&mut self, request: &PaidRequest) -> Result<PaidAnswer, GatewayError> {
        self.session.fetch(&self.client, request).await
    }

    /// Returns the channel's total.
    pub async fn owed(&self) -> u64 {
        self.world.state().await.cumulative.0
    }

    /// Returns the proof of a request.
    pub fn ask(&self, request: &PaidRequest) -> AskToPay {
        let units = match request.units {
            PaidUnits::Exactly(units) | PaidUnits::AtMost(units) => units,
        };
        let digest = request.digest().unwrap();
        let (license, expires_at) = (request.license, request.expires_at);
        let details = hold_details(&request.key, license, units, &digest, expires_at);
        let channel = self.world.chain.channel_account().channel;
        let asked = PayerRequest::new(PayerAction::Hold(details), &CHANNEL, &channel);
        let proof = PayerProof::from(&asked.sign(&voucher_key()));
        let channel = Address(CHANNEL);
        AskToPay { channel, license, units, expires_at, proof, voucher: None }
    }

    /// Returns a voucher for one more unit.
    pub async fn voucher(&self) -> SignedVoucher {
        self.world.next_request().await.voucher
    }

    /// Returns a voucher for exactly the due.
    pub fn voucher_for(&self, due: &Due) -> SignedVoucher {
        let entries = due.expected.entries.iter().map(|entry| (entry.license, entry.units));
        let mut statement: Statement = entries.collect();
        statement.add(due.license, due.units).unwrap();
        let channel = self.world.chain.channel_account().channel;
        let voucher = Voucher {
            cluster: channel.cluster,
            channel: CHANNEL,
            opened_slot: channel.opened_slot,
            statement: due.expected.statement,
            cumulative: due.expected.cumulative.0,
            statement_digest: statement.digest(),
            expires_at: i64::from(u32::MAX),
        };
        SignedVoucher::sign(voucher, &voucher_key())
    }

    /// Sends any request with any payment.
    pub async fn send(&self, request: &PaidRequest, payment: Option<&Payment>) -> Answer {
        let mut sent = reqwest::Client::new().request(request.method.clone(), &request.url);
        for (name, value) in &request.headers {
            sent = sent.header(name, value);
        }
        sent = sent.header("idempotency-key", request.key.as_str()).body(request.body.clone());
        if let Some(payment) = payment {
            sent = sent.header(Payment::HEADER, payment.to_header());
        }
        Answer::to(sent).await
    }

    /// Requests without a voucher; returns the due.
    pub async fn due(&self, request: &PaidRequest) -> Due {
        let answer = self.send(request, Some(&Payment::Ask(self.ask(request)))).await;
        answer.assert_problem(402, "payment-due");
        due_of(&answer)
    }

    /// Pays for one due unit at the same route.
    pub async fn pay(&self, request: &PaidRequest, due: &Due, voucher: SignedVoucher) -> Answer {
        let request = PaidRequest { body: Vec::new(), ..request.clone() };
        self.send(&request, Some(&pay_for(due, voucher))).await
    }

    /// Checks that nothing is held: all units can be used at once.
    pub async fn assert_nothing_held(&self, units_left: u32) {
        let session = session(&self.world).await;
        session.generate(0, units_left, [1; 32], [1; 32]).await.unwrap();
    }
}

pub fn pay_for(due: &Due, voucher: SignedVoucher) -> Payment {
    Payment::Pay(PayForAnswer { channel: Address(CHANNEL), answer: due.answer, voucher })
}

/// Returns the due of a response, whose header and body must agree.
pub fn due_of(answer: &Answer) -> Due {
    let header = answer.headers[PaymentRequired::HEADER].to_str().unwrap();
    let required = PaymentRequired::from_header(header).unwrap();
    assert_eq!(answer.problem().payment.as_ref(), Some(&required));
    match required {
        PaymentRequired::Due(due) => *due,
        PaymentRequired::PriceTag(_) => panic!("an price_tag"),
    }
}

pub async fn session(world: &World) -> Payer {
    let account = world.chain.channel_account();
    let options = PayerOptions::default();
    Payer::open(world.client(), CHANNEL, &account, voucher_key(), options).await.unwrap()
}

/// Options of a payer with a budget, base units.
pub fn payer_options(budget: u64) -> PayerOptions {
    let policy = PayerPolicy { budget: Some(budget), ..PayerPolicy::default() };
    PayerOptions { policy, ..PayerOptions::default() }
}

pub fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_secs() as i64
}
