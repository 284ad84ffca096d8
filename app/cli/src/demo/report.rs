use std::fmt;

use motif_sdk::client::ConfirmedTransaction;
use serde::Serialize;

use super::{expected::Expected, sale::SaleReport};
use crate::{
    amount::{Money, grouped},
    error::CliError,
    output::table,
};

/// Transactions of one purpose, and what they cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cost {
    #[serde(skip)]
    purpose: &'static str,
    pub transactions: u64,
    #[serde(rename = "lamports_in_fees")]
    fee_lamports: u64,
    pub compute_units: u64,
}

/// Costs of all transactions, by purpose, in the order of their first transaction.
#[derive(Default)]
pub struct Costs(Vec<Cost>);

impl Costs {
    /// Adds confirmed transactions.
    pub fn add<'a>(
        &mut self,
        purpose: &'static str,
        landed: impl IntoIterator<Item = &'a ConfirmedTransaction>,
    ) {
        for landed in landed {
            self.add_one(purpose, landed.fee_lamports, landed.compute_units);
        }
    }

    /// Adds one transaction.
    pub fn add_one(&mut self, purpose: &'static str, fee_lamports: u64, compute_units: u64) {
        let position = self.0.iter().position(|cost| cost.purpose == purpose);
        let position = position.unwrap_or_else(|| {
            self.0.push(Cost { purpose, ..Cost::default() });
            self.0.len() - 1
        });
        let cost = &mut self.0[position];
        cost.transactions += 1;
        cost.fee_lamports += fee_lamports;
        cost.compute_units += compute_units;
    }

    /// Returns the cost of one purpose.
    pub fn of(&self, purpose: &'static str) -> Cost {
        let found = self.0.iter().find(|cost| cost.purpose == purpose).cloned();
        found.unwrap_or(Cost { purpose, ..Cost::default() })
    }

    /// Returns the cost of all purposes.
    pub fn total(&self) -> Cost {
        let sum = |part: fn(&Cost) -> u64| self.0.iter().map(part).sum();
        Cost {
            purpose: "total",
            transactions: sum(|cost| cost.transactions),
            fee_lamports: sum(|cost| cost.fee_lamports),
            compute_units: sum(|cost| cost.compute_units),
        }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (transactions, units) = (self.transactions, grouped(self.compute_units));
        let lamports = grouped(self.fee_lamports);
        let plural = if transactions == 1 { "" } else { "s" };
        write!(
            formatter,
            "{transactions} transaction{plural}: {units} compute units, {lamports} lamports"
        )
    }
}

/// Claim of one recipient from one work.
pub struct Claim {
    pub name: &'static str,
    pub source: String,
    pub expected: Money,
    pub received: Money,
}

/// Balance of a creator's token account at the end.
#[derive(Serialize)]
pub struct Balance {
    pub name: &'static str,
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
    #[serde(skip)]
    pub claims: Vec<Claim>,
    pub recipients: Vec<Balance>,
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
        deposited.base_units == paid.base_units + refunded.base_units
            && operator_fee.base_units == expected.operator_fee
            && dust.base_units == expected.dust
            && self.sale_adds_up
            && self.recipients.iter().all(|balance| balance.expected == balance.received)
            && self.claims.iter().all(|claim| claim.expected == claim.received)
    }

    /// Checks that the amounts add up, and that the receipts and credentials verify.
    ///
    /// # Errors
    /// [`CliError::NotConserved`]; [`CliError::ReceiptsFailed`].
    pub fn check(&self) -> Result<(), CliError> {
        let all = self.generations as usize;
        if !self.adds_up() {
            let Self { deposited, paid, refunded, .. } = self;
            return Err(CliError::NotConserved(format!(
                "deposited {deposited}, paid {paid}, refunded {refunded}; expected {:?}",
                self.expected
            )));
        }
        if self.receipts_verified != all {
            let failed = all.saturating_sub(self.receipts_verified);
            return Err(CliError::ReceiptsFailed { failed, all, first: "see above".to_owned() });
        }
        if self.credentials_verified != 1 {
            let first = "the credentials of the last output do not verify".to_owned();
            return Err(CliError::ReceiptsFailed { failed: 1, all: 1, first });
        }
        Ok(())
    }

    fn payouts(&self) -> String {
        let rows = self.claims.iter().map(|claim| {
            let verdict = if claim.expected == claim.received { "exact" } else { "WRONG" };
            let (expected, received) = (claim.expected.to_string(), claim.received.to_string());
            let (name, source) = (claim.name.to_owned(), claim.source.clone());
            [name, source, expected, received, verdict.to_owned()]
        });
        table(["recipient", "for", "expected", "received", ""], &[2, 3], rows)
    }

    fn deposit(&self) -> String {
        let mut rows: Vec<_> = self
            .recipients
            .iter()
            .map(|balance| [balance.name.to_owned(), balance.received.to_string()])
            .collect();
        rows.extend([
            ["gateway operator".to_owned(), self.operator_fee.to_string()],
            ["rounding, not shared yet".to_owned(), self.dust.to_string()],
            ["refunded to the platform".to_owned(), self.refunded.to_string()],
            ["deposited".to_owned(), self.deposited.to_string()],
        ]);
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
        let generations = f64::from(self.generations);
        let per_generation = |total: u64| format!("{:.1}", total as f64 / generations);
        let rows = self.costs.0.iter().chain([&self.total]).map(|cost| {
            [
                cost.purpose.to_owned(),
                grouped(cost.transactions),
                grouped(cost.fee_lamports),
                grouped(cost.compute_units),
                per_generation(cost.fee_lamports),
                per_generation(cost.compute_units),
            ]
        });
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

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verified = grouped(self.receipts_verified as u64);
        let generations = grouped(u64::from(self.generations));
        write!(
            formatter,
            "\nPayouts\n\n{}\n\nDeposit\n\n{}\n\nSale without a channel\n\n{}\n\nTransactions\n\n{}\n\n\
             {verified} of {generations} receipts verified: signed by the operator, proved against \
             the channel's account\nconserved: {}",
            self.payouts(),
            self.deposit(),
            self.sale(),
            self.on_chain(),
            self.conserved
        )
    }
}
