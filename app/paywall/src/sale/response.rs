use std::{collections::BTreeMap, sync::Arc};

use axum::{
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL},
    },
    response::Response,
};
use motif_sdk::gateway::wire::{
    Address, Amount, SignatureHex,
    jws::{JwsPayload, JwsReceipt},
    mpp,
    sale::{SaleReceipt, TransactionSignature},
    x402,
};
use serde_json::json;

use super::{
    desk::{SaleDesk, SaleEvent, SaleRecord},
    dispatch::{Dialect, SalePayment, network},
    request::Request,
};
use crate::{error::PaywallError, paywall::Paywall};

impl Paywall {
    /// Returns the stored answer of a payment that has landed, with its receipts.
    pub(super) async fn sale_response(
        &self,
        desk: &Arc<dyn SaleDesk>,
        record: &SaleRecord,
        payment: Option<&SalePayment>,
    ) -> Result<Response, PaywallError> {
        let answer = self.spool().find(&record.answer).ok_or(PaywallError::Gone)?;
        let (_, target) = answer.target.split_once(' ').unwrap_or_default();
        let paid = (answer.output_digest.0, target);
        let receipts = self.receipts(&**desk, record, paid, payment).await?;
        let delivered = record.delivered_at.is_none().then(|| {
            let (desk, id, tasks) = (desk.clone(), record.payment, self.tasks().clone());
            let delivered = move || {
                tasks.spawn(async move {
                    if let Err(error) = desk.record(&id, SaleEvent::Delivered).await {
                        tracing::warn!(%error, "a delivery was not recorded");
                    }
                });
            };
            Box::new(delivered) as Box<dyn FnOnce() + Send + Sync>
        });
        let mut response = self.stored_response(&answer, delivered).await?;
        response.headers_mut().extend(receipts);
        Ok(response)
    }

    /// Adds the receipts of a payment that has landed to a response without its answer.
    pub(super) async fn paid_without_answer(
        &self,
        desk: &dyn SaleDesk,
        record: &SaleRecord,
        (request, payment): (&Request, Option<&SalePayment>),
        mut response: Response,
    ) -> Result<Response, PaywallError> {
        let paid = (record.output_digest.unwrap_or_default(), &request.target[..]);
        let receipts = self.receipts(desk, record, paid, payment).await?;
        response.headers_mut().extend(receipts);
        Ok(response)
    }

    /// Returns the headers with the receipts of a payment: Motif's, and that of the client's protocol.
    async fn receipts(
        &self,
        desk: &dyn SaleDesk,
        record: &SaleRecord,
        (output_digest, target): ([u8; 32], &str),
        payment: Option<&SalePayment>,
    ) -> Result<HeaderMap, PaywallError> {
        let issued_at = record.ended_at.unwrap_or(record.sent_at);
        let receipt = SaleReceipt::unsigned(
            (&record.shares, &[record.acceptance.terms_number]),
            record.acceptance,
            (desk.seller(), record.wallet),
            record.signature,
            output_digest,
            issued_at,
        );
        let (key, signatures) = desk.sign(&[&receipt.signed_bytes()], issued_at).await?;
        let missing = || PaywallError::internal("the signer returned no signature");
        let signature = signatures.first().copied().ok_or_else(missing)?;
        let receipt = SaleReceipt { signature: SignatureHex(signature), ..receipt };
        let transaction = signature_text(&record.signature);
        // A wallet that signed in speaks version 2 of x402.
        let (name, text) = match payment.map_or(Dialect::X402, SalePayment::dialect) {
            dialect @ (Dialect::X402 | Dialect::X402V1) => {
                let network = network(desk, dialect);
                let jws = match dialect {
                    Dialect::X402 => {
                        let payload = JwsPayload {
                            version: 1,
                            network: network.to_owned(),
                            resource_url: format!("{}{target}", desk.config().public_url),
                            payer: Address(record.wallet),
                            issued_at,
                            transaction: receipt.transaction,
                        };
                        let input = payload.input(&key);
                        // The receipt of a longer URL has no room in a header.
                        if input.len() > JwsPayload::MAX_INPUT {
                            None
                        } else {
                            let (_, signatures) = desk.sign(&[input.as_bytes()], issued_at).await?;
                            signatures.first().map(|signature| JwsReceipt::text(&input, signature))
                        }
                    }
                    Dialect::X402V1 | Dialect::Mpp => None,
                };
                let extensions = jws.map(|signature| {
                    let receipt = json!({ "format": "jws", "signature": signature });
                    let extension = json!({ "info": { "receipt": receipt } });
                    (x402::OFFER_RECEIPT.to_owned(), extension)
                });
                let settled = x402::Settlement {
                    success: true,
                    error_reason: None,
                    transaction,
                    network: network.to_owned(),
                    payer: Some(Address(record.wallet)),
                    amount: Some(Amount(record.acceptance.amount)),
                    extensions: extensions.into_iter().collect::<BTreeMap<_, _>>(),
                };
                let name = match dialect {
                    Dialect::X402V1 => x402::RESPONSE_HEADER_V1,
                    Dialect::X402 | Dialect::Mpp => x402::RESPONSE_HEADER,
                };
                (name, x402::to_header(&settled))
            }
            Dialect::Mpp => {
                let receipt = mpp::Receipt {
                    challenge_id: payment
                        .and_then(SalePayment::challenge_id)
                        .unwrap_or_default()
                        .to_owned(),
                    method: mpp::METHOD.to_owned(),
                    reference: transaction,
                    status: "success".to_owned(),
                    timestamp: mpp::timestamp(issued_at),
                };
                (mpp::RECEIPT_HEADER, mpp::encode(&receipt))
            }
        };
        let mut headers = HeaderMap::new();
        for (name, text) in [(name, text), (SaleReceipt::HEADER, receipt.to_header())] {
            if let Ok(value) = HeaderValue::try_from(text) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        // Shared caches must not keep what one buyer has paid for.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
        let exposed = "payment-response, x-payment-response, payment-receipt, motif-receipt";
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
        Ok(headers)
    }
}

/// Returns a signature of a transaction as text.
pub(super) fn signature_text(signature: &[u8; 64]) -> String {
    TransactionSignature(*signature).to_string()
}
