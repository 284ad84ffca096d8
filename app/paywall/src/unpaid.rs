use axum::{
    body::{Body, Bytes},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::Response,
};
use motif_sdk::gateway::{
    ProblemType,
    wire::{PaymentRequired, PriceTag, Problem},
};

/// The 402 of a route for requests without a payment, written once for a price.
#[derive(Clone, Debug)]
pub(crate) struct Unpaid {
    price_tag: PriceTag,
    headers: HeaderMap,
    problem: Bytes,
}

impl Unpaid {
    const TYPE: ProblemType = ProblemType::PaymentRequired;
    const DETAIL: &str =
        "payment required: send a `motif-payment` header as described in `payment`";

    /// Writes the 402 of a route with this price.
    pub fn new(price_tag: PriceTag) -> Self {
        let payment = PaymentRequired::PriceTag(Box::new(price_tag.clone()));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Ok(payment) = HeaderValue::try_from(payment.to_header()) {
            headers.insert(PaymentRequired::HEADER, payment);
        }
        let problem = Problem {
            slug: Self::TYPE.slug().to_owned(),
            title: Self::TYPE.title().to_owned(),
            status: Self::TYPE.status(),
            detail: Self::DETAIL.to_owned(),
            expected: None,
            payment: Some(payment),
            holder: None,
            items: Vec::new(),
        };
        let problem = serde_json::to_vec(&problem).unwrap_or_default(); // texts and numbers
        Self { price_tag, headers, problem: problem.into() }
    }

    /// Returns the price.
    pub fn price_tag(&self) -> &PriceTag {
        &self.price_tag
    }

    /// Returns the problem document, the body of the response, as JSON.
    pub fn problem(&self) -> &Bytes {
        &self.problem
    }

    /// Returns the response. Its [`ProblemType`] and the [`PriceTag`] are among its extensions.
    pub fn response(&self) -> Response {
        let mut response = Response::new(Body::from(self.problem.clone()));
        *response.status_mut() = StatusCode::PAYMENT_REQUIRED;
        *response.headers_mut() = self.headers.clone();
        response.extensions_mut().insert(Self::TYPE);
        response.extensions_mut().insert(self.price_tag.clone());
        response
    }
}
