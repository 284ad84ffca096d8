use motif_wire::sale::SaleState;

use crate::{
    error::StoreError,
    sale::{PaymentId, SaleEvent, StoredSale},
    sql::{Connection, Row, integer, query},
};

const STATES: [SaleState; 4] =
    [SaleState::Sent, SaleState::Landed, SaleState::Failed, SaleState::Expired];

/// Returns the value of the column `state`.
fn name(state: SaleState) -> &'static str {
    match state {
        SaleState::Sent => "sent",
        SaleState::Landed => "landed",
        SaleState::Failed => "failed",
        SaleState::Expired => "expired",
    }
}

pub fn read_sale(row: &Row) -> Result<StoredSale, StoreError> {
    let column: String = row.get("state")?;
    let state = STATES
        .into_iter()
        .find(|state| name(*state) == column)
        .ok_or_else(|| StoreError::Corrupt(format!("state of a sale is {column}")))?;
    let acceptance: Vec<u8> = row.get("acceptance")?;
    let acceptance = match acceptance.len() {
        0 => None,
        length => Some(acceptance.try_into().map_err(|_| {
            StoreError::Corrupt(format!("acceptance of a sale has {length} bytes"))
        })?),
    };
    let seller: Vec<u8> = row.get("seller")?;
    let seller =
        match seller.len() {
            0 => None,
            length => Some(seller.try_into().map_err(|_| {
                StoreError::Corrupt(format!("seller of a sale has {length} bytes"))
            })?),
        };
    Ok(StoredSale {
        payment: row.bytes("payment")?,
        wallet: row.bytes("wallet")?,
        request_digest: row.bytes("request_digest")?,
        name: row.get("name")?,
        acceptance,
        parts: row.integer("parts")?,
        operator_parts: row.integer("operator_parts")?,
        answer: row.bytes("answer")?,
        holder: row.get("holder")?,
        signature: row.bytes("signature")?,
        bytes: row.get("bytes")?,
        last_valid_height: row.integer("last_valid_height")?,
        state,
        sent_at: row.get("sent_at")?,
        ended_at: row.get("ended_at")?,
        output_digest: row.bytes_or_null("output_digest")?,
        delivered_at: row.get("delivered_at")?,
        refused_at: row.get("refused_at")?,
        seller,
        told_call: row.bytes_or_null("told_call")?,
    })
}

/// Inserts a payment. An existing one is left as it is.
pub async fn insert_sale(sale: &StoredSale, to: &mut Connection) -> Result<(), sqlx::Error> {
    query(
        "INSERT INTO sales (payment, wallet, request_digest, name, acceptance, answer, holder, \
         signature, bytes, last_valid_height, sent_at, output_digest, parts, operator_parts, seller) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
         ON CONFLICT DO NOTHING",
    )
    .bind(&sale.payment[..])
    .bind(&sale.wallet[..])
    .bind(&sale.request_digest[..])
    .bind(&sale.name[..])
    .bind(sale.acceptance.as_ref().map_or(&[0_u8; 0][..], |acceptance| &acceptance[..]))
    .bind(&sale.answer[..])
    .bind(&sale.holder[..])
    .bind(&sale.signature[..])
    .bind(&sale.bytes[..])
    .bind(integer(sale.last_valid_height))
    .bind(sale.sent_at)
    .bind(sale.output_digest.as_ref().map(|digest| &digest[..]))
    .bind(i64::from(sale.parts))
    .bind(i64::from(sale.operator_parts))
    .bind(sale.seller.as_ref().map_or(&[0_u8; 0][..], |seller| &seller[..]))
    .execute(to)
    .await
    .map(drop)
}

/// Records what became of a payment. Recording it again changes nothing.
pub async fn update_sale(
    payment: &PaymentId,
    event: &SaleEvent,
    to: &mut Connection,
) -> Result<(), sqlx::Error> {
    let update = match event {
        SaleEvent::Ended { state, at } => query(
            "UPDATE sales SET state = $2, ended_at = $3, bytes = $4 \
             WHERE payment = $1 AND state <> 'landed'",
        )
        .bind(&payment[..])
        .bind(name(*state))
        .bind(*at)
        .bind(&[0_u8; 0][..]),
        SaleEvent::Made { output_digest, request_digest, name } => query(
            "UPDATE sales SET output_digest = $2, request_digest = $3, name = $4 \
             WHERE payment = $1",
        )
        .bind(&payment[..])
        .bind(&output_digest[..])
        .bind(&request_digest[..])
        .bind(&name[..]),
        SaleEvent::Refused { at } => query("UPDATE sales SET refused_at = $2 WHERE payment = $1")
            .bind(&payment[..])
            .bind(*at),
        SaleEvent::Delivered { at } => {
            query("UPDATE sales SET delivered_at = $2 WHERE payment = $1 AND delivered_at IS NULL")
                .bind(&payment[..])
                .bind(*at)
        }
        SaleEvent::Told { call } => {
            query("UPDATE sales SET told_call = $2 WHERE payment = $1 AND told_call IS NULL")
                .bind(&payment[..])
                .bind(&call[..])
        }
    };
    update.execute(to).await.map(drop)
}
