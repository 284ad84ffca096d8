use std::{
    convert::Infallible,
    future::ready,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    extract::Request,
    http::{HeaderMap, Method, header::AUTHORIZATION},
    response::{IntoResponse, Response},
};
use futures::future::{BoxFuture, Either};
use motif_sdk::gateway::wire::ScopeWord;
use tokio::time::timeout;
use tower::{Layer, Service};

use crate::{Gateway, admission::ClientAddress, keys::Caller, problem::ApiError};

/// Lets requests in: an address as often as it may, and then those who may ask what they do.
/// Bounds how long an answer may take.
#[derive(Clone)]
pub struct Admit {
    gateway: Gateway,
    whom: Whom,
    within: Option<Duration>,
}

/// Who may ask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// Anybody.
    Anybody,
    /// Whoever may look, or pay: anybody where API keys are not required. Handlers find the
    /// [`Caller`] among the request's extensions.
    Callers,
    /// Operators: by the secret, or by an API key that may everything.
    Operators,
}

/// What answers requests that are let in.
#[derive(Clone)]
pub struct Admitted<S> {
    by: Admit,
    inner: S,
}

impl Admit {
    /// Lets in `whom`, for as long as an answer takes.
    pub fn new(gateway: &Gateway, whom: Whom) -> Self {
        Self { gateway: gateway.clone(), whom, within: None }
    }

    /// Answers with a problem when a request takes too long. Nothing that was begun is undone:
    /// generations are idempotent, and settlements go on.
    pub fn within(self, duration: Duration) -> Self {
        Self { within: Some(duration), ..self }
    }
}

impl<S> Layer<S> for Admit {
    type Service = Admitted<S>;

    fn layer(&self, inner: S) -> Admitted<S> {
        Admitted { by: self.clone(), inner }
    }
}

impl<S> Service<Request> for Admitted<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let answering = match self.by.admit_at_once(&mut request) {
            Ok(true) => Either::Left(self.inner.call(request)),
            Ok(false) => {
                let (by, mut inner) = (self.by.clone(), self.inner.clone());
                Either::Right(Box::pin(async move {
                    match by.admit_known(&mut request).await {
                        Ok(()) => inner.call(request).await,
                        Err(error) => Ok(error.into_response()),
                    }
                }))
            }
            Err(error) => return Box::pin(ready(Ok(error.into_response()))),
        };
        let Some(within) = self.by.within else { return Box::pin(answering) };
        Box::pin(async move {
            let answered = timeout(within, answering).await;
            answered.unwrap_or_else(|_| Ok(ApiError::Timeout.into_response()))
        })
    }
}

impl Admit {
    /// Lets an address in as often as it may, and whoever needs no name; whether that is all
    /// there is to ask.
    fn admit_at_once(&self, request: &mut Request) -> Result<bool, ApiError> {
        self.gateway.admission().address(ClientAddress::of(request).0)?;
        match self.whom {
            Whom::Anybody => Ok(true),
            Whom::Callers if !request.headers().contains_key(AUTHORIZATION) => {
                self.let_in(Caller::default(), request).map(|()| true)
            }
            Whom::Callers | Whom::Operators => Ok(false),
        }
    }

    /// Finds out who asks, and lets in whoever may.
    async fn admit_known(&self, request: &mut Request) -> Result<(), ApiError> {
        if self.whom == Whom::Operators && self.is_operator(request.headers()) {
            return Ok(());
        }
        let token = bearer(request.headers()).ok_or(ApiError::Unauthorized)?;
        let caller = self.gateway.holder_of(token).await?;
        self.let_in(caller, request)
    }

    /// Lets a caller in: to look, or to pay; an operator to anything.
    fn let_in(&self, caller: Caller, request: &mut Request) -> Result<(), ApiError> {
        let scope = match (self.whom, request.method()) {
            (Whom::Operators, _) => ScopeWord::Admin,
            (_, &Method::GET | &Method::HEAD) => ScopeWord::Read,
            _ => ScopeWord::Meter,
        };
        let is_key_required = match self.whom {
            Whom::Operators => true,
            Whom::Anybody | Whom::Callers => self.gateway.config().api_keys_required,
        };
        caller.allow(scope, is_key_required)?;
        request.extensions_mut().insert(caller);
        Ok(())
    }

    fn is_operator(&self, headers: &HeaderMap) -> bool {
        let secret = self.gateway.config().admin.as_ref().map(|admin| &admin.secret);
        secret.zip(bearer(headers)).is_some_and(|(secret, token)| secret.is(token))
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
