//! The payer with its state file, against a gateway over HTTP that loses answers.

use std::{
    collections::VecDeque,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use motif_payer::{InvalidJournal, Machine, PayerPolicy, Request, day_of, now};

use self::gateway::{CHANNEL, Gateway, account, receipt_keys, voucher_key};
use super::{Payer, PayerOptions};
use crate::{
    Pubkey,
    gateway::{
        GatewayClient, GatewayError, IdempotencyKey, Method, PaidRequest, PaidUnits, PaywallClient,
        ProblemType,
    },
};

#[path = "../../../../payer/tests/payer/gateway.rs"]
#[allow(dead_code, reason = "its payer has no file and sends nothing")]
mod gateway;

/// What the gateway does with a batch.
#[derive(Clone, Copy, Debug)]
enum Course {
    Answers,
    /// Serves the batch and closes the connection.
    LosesAnswer,
    /// Refuses the batch before it is looked up.
    Limits,
}

/// Gateway in memory behind a listener, in a thread that ends with the process.
#[derive(Clone)]
struct Served {
    url: String,
    gateway: Arc<Mutex<Gateway>>,
    /// The last one repeats.
    courses: Arc<Mutex<VecDeque<Course>>>,
    /// Number of batches that arrived.
    arrived: Arc<AtomicUsize>,
}

impl Served {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let served = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            gateway: Arc::new(Mutex::new(Gateway::new())),
            courses: Arc::new(Mutex::new(VecDeque::from([Course::Answers]))),
            arrived: Arc::default(),
        };
        let serving = served.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serving.answer(stream.unwrap());
            }
        });
        served
    }

    fn follow(&self, courses: &[Course]) {
        *self.courses.lock().unwrap() = courses.iter().copied().collect();
    }

    fn arrived(&self) -> usize {
        self.arrived.load(Ordering::SeqCst)
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut head, mut length, mut key) = (String::new(), 0, String::new());
        reader.read_line(&mut head).unwrap();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim().split_once(": ") else { break };
            match name.to_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "idempotency-key" => key = value.to_owned(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let (status, body) = if head.contains("/batches ") {
            let Some(answer) = self.serve(&Request { key, body }) else { return };
            answer
        } else {
            (200, serde_json::to_vec(&self.gateway.lock().unwrap().state()).unwrap())
        };
        let head = format!(
            "HTTP/1.1 {status} -\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
    }

    /// Returns the answer to a batch; `None` if it is lost.
    fn serve(&self, request: &Request) -> Option<(u16, Vec<u8>)> {
        self.arrived.fetch_add(1, Ordering::SeqCst);
        let course = {
            let mut courses = self.courses.lock().unwrap();
            if courses.len() > 1 { courses.pop_front().unwrap() } else { courses[0] }
        };
        let mut gateway = self.gateway.lock().unwrap();
        match course {
            Course::Answers => Some(gateway.serve(request)),
            Course::LosesAnswer => {
                gateway.serve(request);
                None
            }
            Course::Limits => Some(gateway.refuse(ProblemType::RateLimited)),
        }
    }

    async fn open(&self, state: &Path) -> Result<Payer, GatewayError> {
        let client = GatewayClient::new(&self.url).patience(Duration::from_millis(300));
        let options = PayerOptions {
            state: Some(state.to_owned()),
            receipt_keys: Some(receipt_keys()),
            ..PayerOptions::default()
        };
        Payer::open(client, CHANNEL, &account(), voucher_key(), options).await
    }

    /// Returns the number of accepted batches, and the total.
    fn charged(&self) -> (u64, u64) {
        let gateway = self.gateway.lock().unwrap();
        (gateway.accepted, gateway.total())
    }
}

async fn pay(payer: &Payer) -> Result<(), GatewayError> {
    payer.generate(0, 1, [1; 32], [2; 32]).await.map(drop)
}

#[tokio::test]
async fn limited_repeats_keep_lost_batch() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("payer");
    let served = Served::start();
    let payer = served.open(&path).await.unwrap().tagged("ann");
    served.follow(&[Course::LosesAnswer, Course::Limits]);
    let error = pay(&payer).await.unwrap_err();
    assert!(matches!(error, GatewayError::OutcomeUnknown(_)), "{error}");
    assert_eq!(error.problem_type(), Some(ProblemType::RateLimited));
    assert!(!error.is_definite() && payer.is_unanswered());
    assert!(served.arrived() > 2, "repeated until the patience ends");
    let today = day_of(now());
    let committed = |tag| payer.committed_on(today, tag);
    assert_eq!(
        (payer.spent_on(today, None), committed(None), committed(Some("ann"))),
        (0, 102, 102)
    );
    // While repeats are limited, nothing else is signed.
    assert!(pay(&payer).await.is_err_and(|error| !error.is_definite()));
    assert!(payer.resume().await.is_err() && payer.is_unanswered());

    served.follow(&[Course::Answers]);
    assert_eq!(payer.resume().await.unwrap().len(), 1);
    assert_eq!((served.charged(), payer.spent(), payer.receipts().len()), ((1, 102), 102, 1));
    pay(&payer).await.unwrap();
    assert_eq!((served.charged(), payer.committed_on(today, None)), ((2, 204), 204));
}

#[tokio::test]
async fn unsaved_payment_is_never_sent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("payer");
    let served = Served::start();
    let payer = served.open(&path).await.unwrap();
    payer.driver.state_file().as_mut().unwrap().refuse_writes();
    let failed = |result: Result<(), GatewayError>| {
        let error = result.unwrap_err();
        assert!(
            matches!(&error, GatewayError::StateFailed { path: named, .. } if *named == path),
            "{error}"
        );
        // The record may be in the file, in part or whole.
        assert!(!error.is_definite());
    };
    failed(pay(&payer).await);
    failed(payer.resume().await.map(drop));
    let request = PaidRequest {
        method: Method::GET,
        url: format!("{}/picture", served.url),
        headers: Vec::new(),
        body: Vec::new(),
        license: 0,
        units: PaidUnits::Exactly(1),
        key: IdempotencyKey::random(),
        expires_at: now() + 60,
    };
    failed(payer.fetch(&PaywallClient::new(), &request).await.map(drop));
    failed(payer.stream(&PaywallClient::new(), &request).await.map(drop));
    failed(pay(&payer).await);
    failed(payer.forget_receipts(0).await);
    assert_eq!(served.arrived(), 0);

    drop(payer);
    let payer = served.open(&path).await.unwrap();
    assert_eq!((payer.is_unanswered(), served.arrived()), (false, 0));
    pay(&payer).await.unwrap();
    assert_eq!(served.charged(), (1, 102));
}

#[tokio::test]
async fn unusable_state_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("payer");
    let served = Served::start();
    let other = Pubkey::new_from_array([5; 32]);
    let policy = PayerPolicy::default();
    let foreign = Machine::new(other, &account(), receipt_keys(), policy, true).snapshot();
    fs::write(&path, &foreign).unwrap();
    let error = served.open(&path).await.unwrap_err();
    let expected = InvalidJournal::OtherChannel(other.to_string(), 11);
    assert!(
        matches!(&error, GatewayError::StateInvalid { path: named, source } if *named == path && *source == expected),
        "{error}"
    );
    // Nothing is repaired.
    assert_eq!(fs::read(&path).unwrap(), foreign);
    let nowhere = folder.path().join("missing/payer");
    let error = served.open(&nowhere).await.unwrap_err();
    assert!(matches!(error, GatewayError::StateFailed { .. }), "{error}");
}
