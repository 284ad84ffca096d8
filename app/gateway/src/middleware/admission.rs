use std::{
    convert::Infallible,
    future::ready,
    sync::Arc,
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

use crate::{
    App, GatewayConfig,
    admission::{Admission, ClientAddress, InvalidHost},
    api_keys::ApiKeys,
    error::GatewayError,
    keys::{Caller, KeyError},
};

/// Layer that applies rate limits, authenticates callers, and limits the time of a response.
#[derive(Clone)]
pub struct Admit {
    admission: Arc<Admission>,
    keys: Arc<ApiKeys>,
    config: Arc<GatewayConfig>,
    access: Access,
    is_read: fn(&Request) -> bool,
    within: Option<Duration>,
}

/// Access that a route requires.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// All clients.
    Public,
    /// Holders of an API key with the scope `read` or `meter`, or all clients if API keys are
    /// not required. Handlers find the [`Caller`] in the request's extensions.
    Authenticated,
    /// Operators, by the admin secret or an API key with the scope `admin`.
    Admin,
}

/// Service behind [`Admit`].
#[derive(Clone)]
pub struct AdmitService<S> {
    admit: Admit,
    inner: S,
}

impl Admit {
    /// Creates the layer, without a time limit.
    pub fn new(app: &App, access: Access) -> Self {
        Self {
            admission: app.admission.clone(),
            keys: app.keys.clone(),
            config: app.config.clone(),
            access,
            is_read: |_| false,
            within: None,
        }
    }

    /// Counts requests against the limit of reads, too.
    pub fn counting_reads(self) -> Self {
        self.counting_reads_if(|_| true)
    }

    /// Counts the requests that are reads against the limit of reads, too.
    pub fn counting_reads_if(self, is_read: fn(&Request) -> bool) -> Self {
        Self { is_read, ..self }
    }

    /// Sets the time limit. Work in progress continues after it: generations are idempotent, and
    /// settlements run in their own tasks.
    pub fn within(self, duration: Duration) -> Self {
        Self { within: Some(duration), ..self }
    }
}

impl<S> Layer<S> for Admit {
    type Service = AdmitService<S>;

    fn layer(&self, inner: S) -> AdmitService<S> {
        AdmitService { admit: self.clone(), inner }
    }
}

impl<S> Service<Request> for AdmitService<S>
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
        let responding = match self.admit.admit_anonymous(&mut request) {
            Ok(true) => Either::Left(self.inner.call(request)),
            Ok(false) => {
                let (admit, mut inner) = (self.admit.clone(), self.inner.clone());
                Either::Right(Box::pin(async move {
                    match admit.authenticate(&mut request).await {
                        Ok(()) => inner.call(request).await,
                        Err(error) => Ok(error.into_response()),
                    }
                }))
            }
            Err(error) => return Box::pin(ready(Ok(error.into_response()))),
        };
        let Some(within) = self.admit.within else { return Box::pin(responding) };
        Box::pin(async move {
            let response = timeout(within, responding).await;
            response.unwrap_or_else(|_| Ok(GatewayError::Timeout.into_response()))
        })
    }
}

impl Admit {
    /// Applies the address's rate limit. Returns whether the request needs no authentication.
    fn admit_anonymous(&self, request: &mut Request) -> Result<bool, GatewayError> {
        let ClientAddress(address) = ClientAddress::of(request);
        self.admission.address(address)?;
        if request.extensions().get::<InvalidHost>().is_some() {
            return Err(GatewayError::InvalidHost);
        }
        if (self.is_read)(request) {
            self.admission.read(address)?;
        }
        match self.access {
            Access::Public => Ok(true),
            Access::Authenticated if !request.headers().contains_key(AUTHORIZATION) => {
                self.authorize(Caller::default(), request).map(|()| true)
            }
            Access::Authenticated | Access::Admin => Ok(false),
        }
    }

    /// Authenticates and authorizes the caller.
    async fn authenticate(&self, request: &mut Request) -> Result<(), GatewayError> {
        if self.access == Access::Admin && self.has_admin_secret(request.headers()) {
            return Ok(());
        }
        let token = bearer(request.headers()).ok_or(KeyError::Unauthorized)?;
        let caller = self.keys.authenticate(token).await?;
        self.authorize(caller, request)
    }

    /// Checks the caller's scope and adds the caller to the request.
    fn authorize(&self, caller: Caller, request: &mut Request) -> Result<(), GatewayError> {
        let scope = match (self.access, request.method()) {
            (Access::Admin, _) => ScopeWord::Admin,
            (_, &Method::GET | &Method::HEAD) => ScopeWord::Read,
            _ => ScopeWord::Meter,
        };
        let is_key_required = match self.access {
            Access::Admin => true,
            Access::Public | Access::Authenticated => self.config.api_keys_required,
        };
        caller.allow(scope, is_key_required)?;
        request.extensions_mut().insert(caller);
        Ok(())
    }

    fn has_admin_secret(&self, headers: &HeaderMap) -> bool {
        let secret = self.config.admin.as_ref().map(|admin| &admin.secret);
        secret.zip(bearer(headers)).is_some_and(|(secret, token)| secret.is(token))
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
