use std::{
    collections::BTreeMap,
    os::unix::process::ExitStatusExt,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::try_join_all;
use motif_gateway::store::Failpoint;
use motif_sdk::gateway::AdminClient;
use rand::Rng;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{
    child::{Nursery, Running},
    payers::{Broken, Payer},
};
use crate::world::{SECRET, ScriptedChain, channel_account, serve_chain};

/// Time limit to reach the failpoint; afterwards the gateway is killed anyway.
const LONGEST_ROUND: Duration = Duration::from_secs(5);

/// Result of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// Number of kills.
    pub kills: u32,
    /// Generations that were acknowledged.
    pub acknowledged: u64,
    /// Of them, those acknowledged after a retry.
    pub retried: u64,
    /// Statements that were settled.
    pub settled: u64,
    /// Number of kills by failpoint; `Any` counts others.
    pub moments: BTreeMap<String, u32>,
}

/// Gateway under load that is killed repeatedly on one store.
pub struct Rounds {
    /// Starts the gateways.
    pub nursery: Nursery,
    /// Chain that they settle on.
    pub chain: Arc<ScriptedChain>,
    /// Payers with a channel each.
    pub payers: Vec<Payer>,
}

impl Rounds {
    /// Default number of payers.
    pub const PAYERS: u16 = 6;

    /// Creates a store, a chain, and payers with a channel each.
    pub async fn new(
        folder: &std::path::Path,
        store: String,
        command: fn() -> Command,
        payers: u16,
    ) -> Self {
        let operator = Keypair::new_from_array([8; 32]).pubkey();
        let chain = Arc::new(ScriptedChain::new(operator));
        let payers: Vec<Payer> = (0..payers).map(Payer::new).collect();
        for payer in &payers {
            let mut account = channel_account(operator);
            account.channel.deposited = u64::from(u32::MAX);
            chain.state().channels.insert(payer.channel, account);
        }
        let rpc_url = serve_chain(chain.clone()).await;
        let nursery = Nursery::new(folder, store, rpc_url, command);
        Self { nursery, chain, payers }
    }

    /// Kills the gateway a number of times at random failpoints and checks its state. Calls `tell`
    /// after each kill.
    ///
    /// # Errors
    /// The first broken promise.
    pub async fn run(&mut self, kills: u32, killed: impl Fn(&Report)) -> Result<Report, Broken> {
        let mut report = Report::default();
        for _ in 0..kills {
            let place = rand::rng().random_range(0..Failpoint::ALL.len());
            let is_settling = place >= Failpoint::ALL.len() - 5;
            let passing = rand::rng().random_range(1..=if is_settling { 3 } else { 30 });
            let mut running = self.nursery.start(Some((place, passing))).await?;
            self.check(&running).await?;
            running.arm();
            let moment = self.load_until_death(&mut running).await?;
            let moment =
                moment.map_or("Any".to_owned(), |()| format!("{:?}", Failpoint::ALL[place]));
            *report.moments.entry(moment).or_default() += 1;
            report.kills += 1;
            killed(&report);
        }
        let running = self.nursery.start(None).await?;
        self.check(&running).await?;
        for payer in &self.payers {
            payer.compare(&running.url).await?;
            self.settle(payer, &running).await?;
        }
        self.reconcile(&running).await?;
        for payer in &self.payers {
            report.acknowledged += payer.acknowledged.len() as u64;
            report.retried += payer.retried;
            let channel = self.chain.state().channels[&payer.channel].channel;
            report.settled += channel.statements.length;
            let paid = payer.acknowledged.len() as u64 * 100;
            if channel.prices != paid {
                return Err(format!("{} settled, {paid} acknowledged", channel.prices));
            }
        }
        Ok(report)
    }

    /// Checks the state after a restart.
    ///
    /// # Errors
    /// The first failed check.
    pub async fn check(&mut self, running: &Running) -> Result<(), Broken> {
        let doubts = self.payers.iter_mut().map(|payer| payer.settle_doubts(&running.url));
        try_join_all(doubts).await?;
        self.reconcile(running).await
    }

    async fn reconcile(&self, running: &Running) -> Result<(), Broken> {
        let admin = AdminClient::new(&running.admin_url, SECRET);
        let deadline = Instant::now() + LONGEST_ROUND;
        loop {
            match admin.reconcile().await {
                Ok(books) if !books.exact => return Err(format!("not exact: {books:?}")),
                Ok(books) if books.channels.len() == self.payers.len() => return Ok(()),
                // On a busy machine a lease may end before it is renewed.
                Err(error) if error.slug() != Some("channel-moving") => {
                    return Err(error.to_string());
                }
                _ if Instant::now() > deadline => return Err("channels are missing".into()),
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    async fn settle(&self, payer: &Payer, running: &Running) -> Result<(), Broken> {
        let admin = AdminClient::new(&running.admin_url, SECRET);
        match admin.settle(&payer.channel).await {
            Err(error) if error.slug() != Some("nothing-to-settle") => Err(error.to_string()),
            _ => Ok(()),
        }
    }

    /// Pays until the gateway dies; returns whether a failpoint ended it.
    async fn load_until_death(&mut self, running: &mut Running) -> Result<Option<()>, Broken> {
        let url = running.url.clone();
        let watching = async {
            let deadline = Instant::now() + LONGEST_ROUND;
            loop {
                if let Some(status) = running.died() {
                    let signal = status.signal();
                    return if signal == Some(libc::SIGKILL) {
                        Ok(Some(()))
                    } else {
                        Err(format!("the gateway ended by itself: {status}"))
                    };
                }
                if Instant::now() > deadline {
                    running.kill();
                    return Ok(None);
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let paying = try_join_all(self.payers.iter_mut().map(|payer| payer.pay(&url)));
        let (died, paid) = tokio::join!(watching, paying);
        paid?;
        died
    }
}
