use crate::{
    error::StoreError,
    rows::read_sale,
    sale::{PaymentId, SellerPayments, StoredSale},
    sql::{Row, query},
    tables::Tables,
};

/// Reads payments to tills.
#[derive(Clone, Debug)]
pub struct Sales {
    tables: Tables,
}

impl Sales {
    pub(crate) fn new(tables: Tables) -> Self {
        Self { tables }
    }

    /// Returns a payment.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn find(&self, payment: &PaymentId) -> Result<Option<StoredSale>, StoreError> {
        let found = query("SELECT * FROM sales WHERE payment = $1").bind(&payment[..]);
        let found = found.optional(self.tables.current()).await?;
        found.as_ref().map(read_sale).transpose()
    }

    /// Returns a wallet's payments for a request under a name, oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn of_request(
        &self,
        wallet: &[u8; 32],
        request_digest: &[u8; 32],
        name: &str,
    ) -> Result<Vec<StoredSale>, StoreError> {
        let found = query(
            "SELECT * FROM sales WHERE wallet = $1 AND request_digest = $2 AND name = $3 \
             ORDER BY sent_at, payment",
        );
        let found = found.bind(&wallet[..]).bind(&request_digest[..]).bind(name);
        found.all(self.tables.current()).await?.iter().map(read_sale).collect()
    }

    /// Returns a wallet's payments that have landed, whose request the model server refused and that have
    /// no answer, oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn refused(&self, wallet: &[u8; 32]) -> Result<Vec<StoredSale>, StoreError> {
        let found = query(
            "SELECT * FROM sales WHERE wallet = $1 AND refused_at IS NOT NULL \
             AND output_digest IS NULL AND state = 'landed' ORDER BY sent_at, payment",
        );
        let found = found.bind(&wallet[..]).all(self.tables.current()).await?;
        found.iter().map(read_sale).collect()
    }

    /// Returns whether a wallet gave this name to a payment for another request.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn is_name_taken(
        &self,
        wallet: &[u8; 32],
        request_digest: &[u8; 32],
        name: &str,
    ) -> Result<bool, StoreError> {
        let found = query(
            "SELECT 1 AS found FROM sales WHERE wallet = $1 AND request_digest <> $2 AND name = $3 \
             LIMIT 1",
        );
        let found = found.bind(&wallet[..]).bind(&request_digest[..]).bind(name);
        Ok(found.optional(self.tables.current()).await?.is_some())
    }

    /// Returns the payments that may still land, oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn pending(&self) -> Result<Vec<StoredSale>, StoreError> {
        let found = query("SELECT * FROM sales WHERE state = 'sent' ORDER BY sent_at, payment");
        found.all(self.tables.current()).await?.iter().map(read_sale).collect()
    }

    /// Returns the numbers of payments of other sellers from a second on that came without an API key,
    /// by recipient.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn of_sellers(&self, since: i64) -> Result<Vec<SellerPayments>, StoreError> {
        let found = query(
            "SELECT seller, COUNT(*) AS payments FROM sales \
             WHERE length(seller) = 32 AND sent_at >= $1 AND state IN ('sent', 'landed') \
             GROUP BY seller ORDER BY seller",
        );
        let read = |row: &Row| {
            let (seller, payments) = (row.bytes("seller")?, row.integer("payments")?);
            Ok(SellerPayments { seller, payments })
        };
        found.bind(since).all(self.tables.current()).await?.iter().map(read).collect()
    }
}
