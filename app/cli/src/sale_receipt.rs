//! Verification of receipts of sales: Motif's, and those of x402 and MPP, which are views of the same
//! payment.

use std::{collections::BTreeMap, fmt, path::Path};

use motif_sdk::{
    Pubkey,
    client::{Client, Sale},
    gateway::wire::{
        jws::JwsReceipt,
        mpp,
        sale::{SaleReceipt, TransactionSignature},
    },
    operator::ReceiptKeys,
};
use serde::Serialize;

use crate::{
    amount::{Money, Scale},
    currency,
    error::CliError,
    output::pairs,
    reference::read_file,
    session::Session,
    time::utc,
};

/// Receipts of sales in a file, one a line.
#[derive(Debug, Default)]
pub struct SaleReceipts {
    sales: Vec<SaleReceipt>,
    /// Receipts of x402.
    jws: Vec<JwsReceipt>,
    /// Receipts of MPP.
    mpp: Vec<mpp::Receipt>,
}

/// Output of the verification of receipts of sales.
#[derive(Serialize)]
pub struct SalesOutput {
    /// Receipts of all protocols.
    receipts: usize,
    verified: usize,
    sales: Vec<SaleOutput>,
}

/// A verified sale.
#[derive(Serialize)]
struct SaleOutput {
    transaction: String,
    seller: String,
    buyer: String,
    works: Vec<String>,
    #[serde(rename = "use")]
    licensed_use: String,
    units: u32,
    paid: Money,
    paid_at: i64,
    output_digest: String,
}

impl SaleReceipts {
    /// Reads a file. Returns `None` if its first line is no receipt of a sale.
    ///
    /// # Errors
    /// [`CliError::Unreadable`].
    pub fn read(path: &Path) -> Result<Option<Self>, CliError> {
        let text = String::from_utf8(read_file(path)?);
        let text = text.map_err(|_| CliError::unreadable(path, "the file is not text"))?;
        let mut receipts = Self::default();
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        for (place, (number, line)) in lines.enumerate() {
            if receipts.add(line.trim()).is_none() {
                if place == 0 {
                    return Ok(None);
                }
                let what = format!("line {number} is no receipt of a sale");
                return Err(CliError::unreadable(path, what));
            }
        }
        Ok((!receipts.sales.is_empty()).then_some(receipts))
    }

    /// Adds a line: JSON, or the value of a response's header.
    fn add(&mut self, line: &str) -> Option<()> {
        let sale = serde_json::from_str(line).ok();
        if let Some(sale) = sale.or_else(|| SaleReceipt::from_header(line).ok()) {
            self.sales.push(sale);
        } else if let Ok(jws) = JwsReceipt::from_text(line) {
            self.jws.push(jws);
        } else {
            let receipt = serde_json::from_str(line).ok();
            self.mpp.push(receipt.or_else(|| mpp::decode(line).ok())?);
        }
        Some(())
    }

    /// Proves all receipts from the chain.
    ///
    /// # Errors
    /// [`CliError::ReceiptsFailed`] if one fails; [`CliError::Sdk`].
    pub async fn verify(self, session: &Session) -> Result<(), CliError> {
        let client = session.client().await?;
        let all = self.sales.len() + self.jws.len() + self.mpp.len();
        let (mut verified, mut first) = (0, None);
        let mut known = BTreeMap::new();
        let mut sales = Vec::new();
        for receipt in &self.sales {
            match prove(&client, receipt).await? {
                Ok((sale, keys)) => {
                    verified += 1;
                    known.insert(receipt.transaction.0, (receipt.payer.0, keys));
                    sales.push(sale);
                }
                Err(reason) => first = first.or(Some(reason)),
            }
        }
        let views = self.jws.iter().map(View::Jws).chain(self.mpp.iter().map(View::Mpp));
        for view in views {
            match view.check(&known) {
                Ok(()) => verified += 1,
                Err(reason) => first = first.or_else(|| Some(reason.to_owned())),
            }
        }
        if let Some(first) = first {
            return Err(CliError::ReceiptsFailed { failed: all - verified, all, first });
        }
        session.print(&SalesOutput { receipts: all, verified, sales });
        Ok(())
    }
}

/// Buyers and receipt keys of verified sales, by transaction.
type KnownSales = BTreeMap<[u8; 64], (Pubkey, ReceiptKeys)>;

/// Receipt of another protocol.
enum View<'a> {
    Jws(&'a JwsReceipt),
    Mpp(&'a mpp::Receipt),
}

impl View<'_> {
    fn check(&self, known: &KnownSales) -> Result<(), &'static str> {
        let unknown = "no receipt of Motif in the file names the transaction";
        match self {
            Self::Jws(receipt) => {
                let found = known.get(&receipt.payload.transaction.0);
                let (buyer, keys) = found.ok_or(unknown)?;
                if receipt.payload.payer.0 != *buyer {
                    return Err("the receipt of x402 names another buyer");
                }
                let is_signed = receipt.verifies_with(keys);
                is_signed.then_some(()).ok_or("the seller did not sign the receipt of x402")
            }
            Self::Mpp(receipt) => {
                let reference: Result<TransactionSignature, _> = receipt.reference.parse();
                let reference = reference.map_err(|_| "the receipt of MPP has no reference")?;
                known.get(&reference.0).ok_or(unknown)?;
                let has_paid = receipt.status == "success" && receipt.method == mpp::METHOD;
                has_paid.then_some(()).ok_or("the receipt of MPP is of no payment")
            }
        }
    }
}

/// Proves a receipt: its seller's signature, and the sale from the chain alone. Returns the reason if it
/// is not proved.
async fn prove(
    client: &Client,
    receipt: &SaleReceipt,
) -> Result<Result<(SaleOutput, ReceiptKeys), String>, CliError> {
    let place = receipt.transaction;
    let acceptance = &receipt.acceptance;
    let keys = client.operator(&receipt.seller.0).await?.receipt_keys;
    if !receipt.verifies_with(&keys) {
        return Ok(Err(format!("{place}: the seller did not sign the receipt")));
    }
    let sale = Sale {
        shares: receipt.shares(),
        terms_numbers: receipt.works.iter().map(|sold| sold.terms).collect(),
        acceptance: *acceptance,
        signature: receipt.transaction.0.into(),
    };
    let proved = match client.verify_sale(&sale).await {
        Ok(proved) => proved,
        Err(motif_sdk::client::SaleError::Client(error)) => return Err(error.into()),
        Err(error) => return Ok(Err(format!("{place}: {error}"))),
    };
    if proved.buyer != receipt.payer.0 {
        return Ok(Err(format!("{place}: {} has paid", proved.buyer)));
    }
    let is_sellers = [Pubkey::default(), receipt.seller.0].contains(&acceptance.operator);
    if !is_sellers {
        return Ok(Err(format!("{place}: the till is another operator's")));
    }
    let scale: Scale = currency::scale(client, &acceptance.mint).await?;
    let output = SaleOutput {
        transaction: place.to_string(),
        seller: receipt.seller.to_string(),
        buyer: proved.buyer.to_string(),
        works: receipt.works.iter().map(|sold| sold.work.to_string()).collect(),
        licensed_use: acceptance.licensed_use.to_string(),
        units: acceptance.units,
        paid: scale.money(proved.paid),
        paid_at: proved.paid_at,
        output_digest: receipt.output_digest.to_string(),
    };
    Ok(Ok((output, keys)))
}

impl fmt::Display for SalesOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proved = "signed by the seller, proved by payment, memo and terms on chain";
        let mut rows = vec![
            ("receipts", self.receipts.to_string()),
            ("verified", format!("{} ({proved})", self.verified)),
        ];
        for sale in &self.sales {
            rows.extend([
                ("transaction", sale.transaction.clone()),
                ("seller", sale.seller.clone()),
                ("buyer", sale.buyer.clone()),
                ("bought", format!("{} (use {})", sale.units, sale.licensed_use)),
                ("paid", sale.paid.to_string()),
                ("paid at", utc(sale.paid_at)),
                ("output", format!("SHA-256 {}", sale.output_digest)),
            ]);
            rows.extend(sale.works.iter().map(|work| ("work", work.clone())));
        }
        let rows: Vec<_> =
            rows.iter().map(|(name, value)| (*name, value as &dyn fmt::Display)).collect();
        formatter.write_str(&pairs(&rows))
    }
}
