use solana_pubkey::Pubkey;
use solana_signature::Signature;

use super::{Client, ConfirmedTransaction, DynSigner, confirm::SignedTransaction};
use crate::{
    Error,
    acceptance::SaleAcceptance,
    channel::{Currency, PROGRAM_ID},
    pda,
    till::{self, Till, TillShares},
};

/// Payment into a till: see [`Client::pay_till`].
#[must_use = "nothing is sent before `send`"]
pub struct PayTill<'a> {
    client: &'a Client,
    shares: TillShares,
    currency: Currency,
    amount: u64,
    acceptance: Option<SaleAcceptance>,
}

/// Result of [`Client::sweep_till`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SweptTill {
    /// Transactions, including those that opened earnings accounts.
    pub transactions: Vec<ConfirmedTransaction>,
    /// Why the operator was not paid. `None` if it was, or if the till has none.
    pub unpaid_operator: Option<String>,
}

/// Signed payment into a till: see [`PayTill::sign`].
#[must_use = "nothing is sent before `send`"]
pub struct SignedPayment<'a> {
    client: &'a Client,
    transaction: SignedTransaction,
}

impl Client {
    /// Returns the till of these shares in a mint.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not open; [`Error::Transport`].
    pub async fn till(&self, shares: &TillShares, mint: &Pubkey) -> Result<Till, Error> {
        self.typed("till", &pda::till(shares, mint), &PROGRAM_ID).await
    }

    /// Returns the till at an address.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no till; [`Error::Transport`].
    pub async fn till_at(&self, address: &Pubkey) -> Result<Till, Error> {
        self.typed("till", address, &PROGRAM_ID).await
    }

    /// Opens a till, which receives plain token transfers. Returns `None` if it is open already.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn open_till(
        &self,
        funder: &DynSigner,
        shares: &TillShares,
        currency: &Currency,
    ) -> Result<Option<ConfirmedTransaction>, Error> {
        let till = self.account(&pda::till(shares, &currency.mint)).await?;
        if till.is_some_and(|account| account.owner == PROGRAM_ID) {
            return Ok(None);
        }
        let open = till::open(&funder.pubkey(), shares, currency);
        self.send(&[open], funder, &[]).await.map(Some)
    }

    /// Pays base units into a till, from the payer's associated token account.
    pub fn pay_till(&self, shares: &TillShares, currency: &Currency, amount: u64) -> PayTill<'_> {
        let shares = shares.clone();
        PayTill { client: self, shares, currency: *currency, amount, acceptance: None }
    }

    /// Moves the balance of a till to its works' earnings and its operator's fee owner, whose
    /// accounts are created if they are missing.
    ///
    /// If the operator cannot be paid, the works are paid without it, and its part waits in the till
    /// for a later sweep.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn sweep_till(
        &self,
        fee_payer: &DynSigner,
        shares: &TillShares,
        currency: &Currency,
    ) -> Result<SweptTill, Error> {
        let mut unpaid_operator = None;
        if shares.operator_parts > 0 {
            match self.operator(&shares.operator).await {
                Ok(operator) => {
                    let owner = Some(operator.fee_owner);
                    match self.sweep_to(fee_payer, shares, currency, owner).await {
                        Err(Error::Rejected(refusal)) => {
                            unpaid_operator = Some(refusal.to_string())
                        }
                        swept => {
                            return Ok(SweptTill { transactions: swept?, unpaid_operator: None });
                        }
                    }
                }
                Err(error @ Error::NotFound { .. }) => unpaid_operator = Some(error.to_string()),
                Err(error) => return Err(error),
            }
        }
        let transactions = self.sweep_to(fee_payer, shares, currency, None).await?;
        Ok(SweptTill { transactions, unpaid_operator })
    }

    async fn sweep_to(
        &self,
        fee_payer: &DynSigner,
        shares: &TillShares,
        currency: &Currency,
        fee_owner: Option<Pubkey>,
    ) -> Result<Vec<ConfirmedTransaction>, Error> {
        let works = shares.works.iter().map(|share| share.work).collect();
        let mut instructions = self.open_missing_earnings(fee_payer, works, &currency.mint).await?;
        let payer = fee_payer.pubkey();
        instructions.extend(fee_owner.map(|owner| currency.create_tokens(&payer, &owner)));
        instructions.push(till::sweep(shares, currency, fee_owner));
        self.send_packed(instructions, fee_payer).await
    }
}

impl<'a> PayTill<'a> {
    /// Acceptance that the payment's memo commits to, which makes it a sale. Default: none, which
    /// only pays.
    pub fn acceptance(self, acceptance: SaleAcceptance) -> Self {
        Self { acceptance: Some(acceptance), ..self }
    }

    /// Pays.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Error::NotFound`] if the mint does not exist, the till's operator is
    /// not registered, or the till is not open.
    pub async fn send(self, payer: &DynSigner) -> Result<ConfirmedTransaction, Error> {
        self.sign(payer).await?.send().await
    }

    /// Signs the payment and does not send it: the caller first stores what it proves.
    ///
    /// # Errors
    /// As [`PayTill::send`].
    pub async fn sign(self, payer: &DynSigner) -> Result<SignedPayment<'a>, Error> {
        let Self { client, shares, currency, amount, acceptance } = self;
        if shares.operator_parts > 0 {
            client.operator(&shares.operator).await?;
        }
        client.till(&shares, &currency.mint).await?;
        let decimals = client.decimals(&currency.mint).await?;
        let mut instructions =
            vec![till::pay(&payer.pubkey(), &shares, &currency, decimals, amount)];
        instructions.extend(acceptance.map(|acceptance| acceptance.memo_instruction()));
        let transaction = client.sign(&instructions, payer, &[]).await?;
        Ok(SignedPayment { client, transaction })
    }
}

impl SignedPayment<'_> {
    /// Returns the signature of the payment's transaction.
    pub fn signature(&self) -> Signature {
        self.transaction.signature()
    }

    /// Pays.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn send(self) -> Result<ConfirmedTransaction, Error> {
        self.client.broadcast(&self.transaction).await
    }
}
