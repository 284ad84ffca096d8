use std::{
    io::{BufRead, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use motif_gateway::{
    GatewayConfig,
    chain::RpcChain,
    config::{Rate, StorePlace},
    serve_watched,
    store::{Failpoint, Failpoints},
};
use serde::{Deserialize, Serialize};
use solana_keypair::Keypair;

use crate::world::with_admin;

/// Variable with the child's parameters, as JSON.
pub const TOLD: &str = "MOTIF_CRASH_CHILD";

/// Parameters of a child.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Told {
    /// Place of its store, as on the command line.
    pub store: String,
    /// URL of the cluster's node.
    pub rpc_url: String,
    /// File that the child writes when it is ready, with the admin listener's address.
    pub ready: PathBuf,
    /// Address of the public API.
    pub listen: SocketAddr,
    /// Index of a failpoint in [`Failpoint::ALL`], and the number of hits after which the child
    /// dies.
    pub death: Option<(usize, u32)>,
}

/// Ends the process at a failpoint, after it is armed.
struct Death {
    moment: Failpoint,
    left: AtomicU32,
    armed: Arc<AtomicBool>,
}

impl Failpoints for Death {
    fn hit(&self, moment: Failpoint) {
        let is_it = moment == self.moment && self.armed.load(Ordering::SeqCst);
        if is_it && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            // SAFETY: the call takes no pointers and ends the process.
            unsafe { libc::raise(libc::SIGKILL) };
        }
    }
}

/// Runs the gateway to kill. Ends with its parent process.
pub fn run(told: Told) {
    let armed = Arc::new(AtomicBool::new(false));
    let death = told.death.map(|(place, passing)| (Failpoint::ALL[place], passing));
    let (moment, passing) = death.unwrap_or((Failpoint::Reserving, u32::MAX));
    let moments = Death { moment, left: AtomicU32::new(passing), armed: armed.clone() };
    let operator = Arc::new(Keypair::new_from_array([8; 32]));
    let store: StorePlace = told.store.parse().unwrap();
    let mut config = GatewayConfig::new(&told.rpc_url, operator, store);
    with_admin(&mut config);
    config.listen = told.listen;
    config.lease = Duration::from_secs(1);
    config.settle.look_every = Duration::from_millis(50);
    config.limits.reads = Rate::per_second(0, 0); // the test reads every statement
    config.settle.at_receipts = 10;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let chain = Arc::new(RpcChain::new(&[&told.rpc_url]));
    let serving = runtime.block_on(serve_watched(config, chain, Arc::new(moments)));
    let answer = match &serving {
        Ok(gateway) => gateway.admin_url().unwrap(),
        Err(error) => format!("refused: {error}"),
    };
    let unfinished = told.ready.with_extension("unfinished");
    std::fs::write(&unfinished, answer).unwrap();
    std::fs::rename(&unfinished, &told.ready).unwrap();
    // A line arms it; end of file means that the parent has ended.
    let mut lines = std::io::stdin().lock().lines();
    while let Some(Ok(_)) = lines.next() {
        armed.store(true, Ordering::SeqCst);
    }
    std::process::exit(0);
}

/// Parameters to start children on one store and port.
pub struct Nursery {
    /// What each child is told, except when to die.
    pub told: Told,
    command: fn() -> Command,
    /// Additional environment variables.
    pub variables: Vec<(String, String)>,
}

/// Gateway in a child process, which is killed on drop.
pub struct Running {
    child: Child,
    /// URL of the public API.
    pub url: String,
    /// URL of the operator's API.
    pub admin_url: String,
}

impl Nursery {
    /// Reserves a port; children are started by `command`.
    pub fn new(folder: &Path, store: String, rpc_url: String, command: fn() -> Command) -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let listen = free.local_addr().unwrap();
        let ready = folder.join("ready");
        let told = Told { store, rpc_url, ready, listen, death: None };
        Self { told, command, variables: Vec::new() }
    }

    /// Starts a child.
    ///
    /// # Errors
    /// If the child does not start.
    pub async fn start(&self, death: Option<(usize, u32)>) -> Result<Running, String> {
        let told = Told { death, ..self.told.clone() };
        let _ = std::fs::remove_file(&told.ready);
        let mut command = (self.command)();
        command.env(TOLD, serde_json::to_string(&told).unwrap());
        command.envs(self.variables.iter().cloned());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Ok(admin_url) = std::fs::read_to_string(&told.ready) {
                let url = format!("http://{}", told.listen);
                return match admin_url.strip_prefix("refused: ") {
                    Some(reason) => {
                        child.kill().unwrap();
                        child.wait().unwrap();
                        Err(reason.to_owned())
                    }
                    None => Ok(Running { child, url, admin_url }),
                };
            }
            if let Some(status) = child.try_wait().unwrap() {
                return Err(format!("it ended with {status}"));
            }
            assert!(Instant::now() < deadline, "a gateway did not start within a minute");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Running {
    /// Arms the failpoint.
    pub fn arm(&mut self) {
        let line = self.child.stdin.as_mut().unwrap().write_all(b"\n");
        line.unwrap();
    }

    /// Returns the exit status if the child has ended.
    pub fn died(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Kills it and waits for its end.
    pub fn kill(&mut self) {
        let _ = self.child.kill(); // it may be dead already
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}
