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

use crate::{paywall::Paywall, server::Server};

/// Tower layer that charges for a server's routes.
///
/// Requests to unlisted routes are rejected. The server, in this process or behind
/// [`crate::Upstream`], receives each request once and no payment headers.
#[derive(Clone)]
pub struct PaywallLayer(Paywall);

/// Service that [`PaywallLayer`] produces.
#[derive(Clone)]
pub struct PaywallService<S> {
    paywall: Paywall,
    server: S,
}

impl PaywallLayer {
    /// Creates a layer that charges by the routes of `paywall`.
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
        // `oneshot` in `call` waits until the server is ready.
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
