use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use futures::future::BoxFuture;
use tower::{Layer, Service, ServiceExt};

use super::Paywall;

/// Puts prices in front of a server.
///
/// What the routes do not name does not get through. Wherever the server runs, in this process
/// or behind [`super::Upstream`], it is asked once for each answer, and hears nothing of payment.
#[derive(Clone)]
pub struct PaywallLayer(Paywall);

/// A server with prices in front of it.
#[derive(Clone)]
pub struct PaywallService<S> {
    paywall: Paywall,
    server: S,
}

/// The server, for one request.
pub(super) type Server = Box<dyn FnOnce(Request) -> BoxFuture<'static, Response> + Send>;

impl PaywallLayer {
    /// The prices of `paywall`.
    pub fn new(paywall: Paywall) -> Self {
        Self(paywall)
    }
}

impl<S> Layer<S> for PaywallLayer {
    type Service = PaywallService<S>;

    fn layer(&self, server: S) -> PaywallService<S> {
        PaywallService { paywall: self.0.clone(), server }
    }
}

impl<S> Service<Request> for PaywallService<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // The server is waited for where it is asked, if it is.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (paywall, server) = (self.paywall.clone(), self.server.clone());
        let server: Server = Box::new(|request| {
            Box::pin(async { server.oneshot(request).await.unwrap_or_else(|error| match error {}) })
        });
        Box::pin(async move {
            let answered = paywall.answer(request, server).await;
            Ok(answered.unwrap_or_else(IntoResponse::into_response))
        })
    }
}
