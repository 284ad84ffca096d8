use std::fmt;

use motif_sdk::client::ConfirmedTransaction;
use serde::Serialize;

use super::{expected::Expected, sale::SaleReport};
use crate::{
    amount::{Money, grouped},
    error::CliError,
    output::table,
};

/// Number of transactions, and what they cost.
#[derive(Clone, Copy, Default, Serialize)]
pub struct Cost {
    pub transactions: u64,
    #[serde(rename = "lamports_in_fees")]
    fee_lamports: u64,
    pub compute_units: u64,
}

/// Costs by purpose, in the order of their first transaction.
#[derive(Default)]
pub struct Costs(Vec<(&'static str, Cost)>);

impl Costs {
    /// Adds a confirmed transaction.
    pub fn add(&mut self, purpose: &'static str, landed: &ConfirmedTransaction) {
        self.add_one(purpose, landed.fee_lamports, landed.compute_units);
    }

    /// Adds one transaction.
    pub fn add_one(&mut self, purpose: &'static str, fee_lamports: u64, compute_units: u64) {
        let position = self.0.iter().position(|(other, _)| *other == purpose);
        let position = position.unwrap_or_else(|| {
            self.0.push((purpose, Cost::default()));
            self.0.len() - 1
        });
        let cost = &mut self.0[position].1;
        *cost = cost.plus(Cost { transactions: 1, fee_lamports, compute_units });
    }

    /// Returns the cost of one purpose.
    pub fn of(&self, purpose: &'static str) -> Cost {
        let found = self.0.iter().find(|(other, _)| *other == purpose);
        found.map_or(Cost::default(), |(_, cost)| *cost)
    }

    /// Returns the cost of all purposes.
    pub fn total(&self) -> Cost {
        self.0.iter().fold(Cost::default(), |sum, (_, cost)| sum.plus(*cost))
    }
}

impl Cost {
    fn plus(self, other: Self) -> Self {
        Self {
            transactions: self.transactions + other.transactions,
            fee_lamports: self.fee_lamports + other.fee_lamports,
            compute_units: self.compute_units + other.compute_units,
        }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (transactions, units) = (self.transactions, grouped(self.compute_units));
        let plural = if transactions == 1 { "" } else { "s" };
        let lamports = grouped(self.fee_lamports);
        write!(
            formatter,
            "{transactions} transaction{plural}: {units} compute units, {lamports} lamports"
        )
    }
}

/// Amount that a creator received: from one work, or in total.
#[derive(Serialize)]
pub struct Payout {
    pub name: &'static str,
    #[serde(skip)]
    pub source: String,
    pub expected: Money,
    pub received: Money,
}

/// Output of `motif demo`: measurements, beside what prices and shares alone give.
#[derive(Serialize)]
pub struct Report {
    pub generations: u32,
    pub price: Money,
    pub works: u64,
    #[serde(skip)]
    pub expected: Expected,
    /// Claims from each work.
    #[serde(skip)]
    pub claims: Vec<Payout>,
    /// Balances of the creators' token accounts at the end.
    pub recipients: Vec<Payout>,
    pub deposited: Money,
    /// Sum of the recipients' balances, the operator's fee and the dust.
    pub paid: Money,
    pub refunded: Money,
    /// Paid to the operator's token account.
    pub operator_fee: Money,
    /// Left in the vault: rounding that is too small to share yet.
    pub dust: Money,
    /// The sale without a channel.
    pub sale: SaleReport,
    #[serde(skip)]
    pub sale_adds_up: bool,
    #[serde(flatten)]
    pub total: Cost,
    #[serde(skip)]
    pub costs: Costs,
    pub settle_transactions: u64,
    pub settle_compute_units: u64,
    pub receipts_verified: usize,
    /// 1 if the signed output reads back intact, trusted, licensed and settled.
    pub credentials_verified: u32,
    pub seconds: f64,
    /// As [`Report::adds_up`].
    pub conserved: bool,
}

impl Report {
    /// Returns whether deposit and sale are accounted for, and all amounts are as expected.
    pub fn adds_up(&self) -> bool {
        let Self { deposited, paid, refunded, operator_fee, dust, expected, .. } = self;
        let mut payouts = self.recipients.iter().chain(&self.claims);
        deposited.base_units == paid.base_units + refunded.base_units
            && operator_fee.base_units == expected.operator_fee
            && dust.base_units == expected.dust
            && self.sale_adds_up
            && payouts.all(|payout| payout.expected == payout.received)
    }

    /// Checks that the amounts add up, and that the receipts and credentials verify.
    ///
    /// # Errors
    /// [`CliError::NotConserved`]; [`CliError::ReceiptsFailed`].
    pub fn check(&self) -> Result<(), CliError> {
        let Self { deposited, paid, refunded, expected, .. } = self;
        if !self.adds_up() {
            return Err(CliError::NotConserved(format!(
                "deposited {deposited}, paid {paid}, refunded {refunded}; expected {expected:?}"
            )));
        }
        let all = self.generations as usize;
        let (failed, all, first) = if self.receipts_verified != all {
            (all.saturating_sub(self.receipts_verified), all, "see above")
        } else if self.credentials_verified != 1 {
            (1, 1, "the credentials of the last output do not verify")
        } else {
            return Ok(());
        };
        Err(CliError::ReceiptsFailed { failed, all, first: first.to_owned() })
    }

    fn payouts(&self) -> String {
        let rows = self.claims.iter().map(|Payout { name, source, expected, received }| {
            let verdict = if expected == received { "exact" } else { "WRONG" };
            let (expected, received) = (expected.to_string(), received.to_string());
            [(*name).to_owned(), source.clone(), expected, received, verdict.to_owned()]
        });
        table(["recipient", "for", "expected", "received", ""], &[2, 3], rows)
    }

    fn deposit(&self) -> String {
        let creators = self.recipients.iter().map(|payout| (payout.name, &payout.received));
        let others = [
            ("gateway operator", &self.operator_fee),
            ("rounding, not shared yet", &self.dust),
            ("refunded to the platform", &self.refunded),
            ("deposited", &self.deposited),
        ];
        let rows = creators.chain(others).map(|(name, money)| [name.to_owned(), money.to_string()]);
        table(["", "amount"], &[1], rows)
    }

    fn sale(&self) -> String {
        let SaleReport { paid, to_creators, to_operator, waiting } = &self.sale;
        let rows = [
            ["creators", &to_creators.to_string()],
            ["gateway operator", &to_operator.to_string()],
            ["rounding, not shared yet", &waiting.to_string()],
            ["paid by the visitor", &paid.to_string()],
        ];
        table(["", "amount"], &[1], rows.map(|row| row.map(str::to_owned)))
    }

    fn on_chain(&self) -> String {
        let per_generation =
            |total: u64| format!("{:.1}", total as f64 / f64::from(self.generations));
        let total = ("total", self.total);
        let rows = self.costs.0.iter().chain([&total]).map(|(purpose, cost)| {
            let (lamports, units) = (cost.fee_lamports, cost.compute_units);
            let counts = [cost.transactions, lamports, units].map(grouped);
            let [transactions, fees, computed] = counts;
            let (fee_each, units_each) = (per_generation(lamports), per_generation(units));
            [(*purpose).to_owned(), transactions, fees, computed, fee_each, units_each]
        });
        let (fees, units) = ("lamports per\ngeneration", "CU per\ngeneration");
        let header = ["", "transactions", "lamports", "compute units", fees, units];
        table(header, &[1, 2, 3, 4, 5], rows)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verified = grouped(self.receipts_verified as u64);
        let generations = grouped(u64::from(self.generations));
        let (payouts, deposit) = (self.payouts(), self.deposit());
        let (sale, on_chain) = (self.sale(), self.on_chain());
        write!(
            formatter,
            "\nPayouts\n\n{payouts}\n\nDeposit\n\n{deposit}\n\nSale without a channel\n\n{sale}\n\n\
             Transactions\n\n{on_chain}\n\n\
             {verified} of {generations} receipts verified: signed by the operator, proved against \
             the channel's account\nconserved: {}",
            self.conserved
        )
    }
}
