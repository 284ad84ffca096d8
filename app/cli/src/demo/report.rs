use serde_json::{Value, json};

use super::{
    expected::Expected,
    ledger::{Cost, Ledger},
};
use crate::{
    amount::{dollars, grouped},
    answer::table,
    error::CliError,
};

/// One line of who got what.
pub struct Line {
    pub name: &'static str,
    pub what_for: String,
    pub expected: u64,
    pub received: u64,
}

/// What somebody's token account holds at the end, and should.
pub struct Balance {
    pub name: &'static str,
    pub expected: u64,
    pub received: u64,
}

/// The story's end: what was measured, next to what was expected.
pub struct Told {
    pub generations: u32,
    pub price: u64,
    pub works: u64,
    pub expected: Expected,
    pub lines: Vec<Line>,
    pub balances: Vec<Balance>,
    pub deposited: u64,
    pub refunded: u64,
    /// What reached the operator's token account.
    pub operator_fee: u64,
    /// What the vault still holds when everybody is paid.
    pub dust: u64,
    pub ledger: Ledger,
    pub settlements: Cost,
    pub receipts_verified: usize,
    /// Signed outputs that read back intact, trusted, licensed and settled; of one.
    pub credentials_verified: u32,
    pub seconds: f64,
}

impl Told {
    /// Base units that left the channel: to recipients, to the operator, and to the vault as
    /// parts too small to pay out yet.
    fn paid(&self) -> u64 {
        let received: u64 = self.balances.iter().map(|balance| balance.received).sum();
        received + self.operator_fee + self.dust // all of it was in one vault
    }

    fn conserved(&self) -> bool {
        self.deposited == self.paid() + self.refunded
    }

    /// Everybody got what the prices and splits alone say.
    fn as_expected(&self) -> bool {
        let by_balance = self.balances.iter().all(|balance| balance.expected == balance.received);
        let by_line = self.lines.iter().all(|line| line.expected == line.received);
        let fee = self.operator_fee == self.expected.operator_fee;
        by_balance && by_line && fee && self.dust == self.expected.dust
    }

    fn all_verified(&self) -> bool {
        u32::try_from(self.receipts_verified) == Ok(self.generations)
    }

    /// Refuses a story whose sums do not add up.
    ///
    /// # Errors
    /// [`CliError::NotConserved`]; [`CliError::ReceiptsFailed`].
    pub fn check(&self) -> Result<(), CliError> {
        if !self.conserved() {
            let (deposited, paid, refunded) = (self.deposited, self.paid(), self.refunded);
            let what = format!("deposited {deposited}, paid {paid}, refunded {refunded}");
            return Err(CliError::NotConserved(what));
        }
        if !self.as_expected() {
            return Err(CliError::NotConserved("somebody got another amount than expected".into()));
        }
        if !self.all_verified() {
            let all = self.generations as usize;
            let failed = all - self.receipts_verified.min(all);
            return Err(CliError::ReceiptsFailed { failed, all, first: "see above".to_owned() });
        }
        if self.credentials_verified != 1 {
            let first = "the credentials of the last output do not read back".to_owned();
            return Err(CliError::ReceiptsFailed { failed: 1, all: 1, first });
        }
        Ok(())
    }

    pub fn json(&self) -> Value {
        let recipients = self.balances.iter().map(|balance| {
            json!({
                "name": balance.name,
                "expected": balance.expected,
                "received": balance.received,
            })
        });
        let total = self.ledger.total();
        json!({
            "generations": self.generations,
            "price": self.price,
            "works": self.works,
            "recipients": recipients.collect::<Vec<_>>(),
            "deposited": self.deposited,
            "paid": self.paid(),
            "refunded": self.refunded,
            "operator_fee": self.operator_fee,
            "dust": self.dust,
            "transactions": total.transactions,
            "lamports_in_fees": total.fee_lamports,
            "compute_units": total.compute_units,
            "settle_transactions": self.settlements.transactions,
            "settle_compute_units": self.settlements.compute_units,
            "receipts_verified": self.receipts_verified,
            "credentials_verified": self.credentials_verified,
            "seconds": (self.seconds * 1_000.0).round() / 1_000.0,
            "conserved": self.conserved() && self.as_expected(),
        })
    }

    pub fn text(&self) -> String {
        let verified = format!(
            "{} of {} receipts verified: signed by the operator, and proved against the channel's account",
            grouped(self.receipts_verified as u64),
            grouped(u64::from(self.generations)),
        );
        [
            format!("\nWho got what\n\n{}", self.who_got_what()),
            format!("Where the deposit went\n\n{}", self.deposit()),
            format!("What it cost on chain\n\n{}", self.on_chain()),
            format!("{verified}\nconserved: {}", self.conserved() && self.as_expected()),
        ]
        .join("\n\n")
    }

    fn who_got_what(&self) -> String {
        let mark = |same: bool| if same { "exact" } else { "WRONG" }.to_owned();
        let row = |line: &Line| {
            let (expected, received) = (line.expected, line.received);
            let name = line.name.to_owned();
            let amounts = [grouped(expected), grouped(received), dollars(received)];
            let [expected_shown, received_shown, in_dollars] = amounts;
            let same = mark(expected == received);
            [name, line.what_for.clone(), expected_shown, received_shown, in_dollars, same]
        };
        let header = ["who", "for", "expected", "received", "in dollars", ""];
        table(header, &[2, 3, 4], self.lines.iter().map(row).collect())
    }

    fn deposit(&self) -> String {
        let received: u64 = self.balances.iter().map(|balance| balance.received).sum();
        let row = |name: &str, amount: u64| [name.to_owned(), grouped(amount), dollars(amount)];
        let rows = vec![
            row("creators", received),
            row("gateway's operator", self.operator_fee),
            row("too little to share yet", self.dust),
            row("back to the platform", self.refunded),
            row("deposited", self.deposited),
        ];
        table(["", "base units", "in dollars"], &[1, 2], rows)
    }

    fn on_chain(&self) -> String {
        let generations = f64::from(self.generations);
        let row = |cost: &Cost| {
            [
                cost.what.to_owned(),
                grouped(cost.transactions),
                grouped(cost.fee_lamports),
                grouped(cost.compute_units),
                per_generation(cost.fee_lamports, generations),
                per_generation(cost.compute_units, generations),
            ]
        };
        let mut rows: Vec<_> = self.ledger.costs().iter().map(row).collect();
        rows.push(row(&self.ledger.total()));
        let header = [
            "",
            "transactions",
            "lamports",
            "compute units",
            "lamports per\ngeneration",
            "CU per\ngeneration",
        ];
        table(header, &[1, 2, 3, 4, 5], rows)
    }
}

fn per_generation(total: u64, generations: f64) -> String {
    format!("{:.1}", total as f64 / generations)
}
