use std::future::Future;

use axum::http::HeaderMap;
use motif_sdk::Pubkey;
use opentelemetry::{
    Context, KeyValue, Value,
    propagation::TextMapPropagator,
    trace::{FutureExt, SpanKind, Status, TraceContextExt, Tracer},
};
use opentelemetry_http::HeaderInjector;
use opentelemetry_sdk::{propagation::TraceContextPropagator, trace::SdkTracer};

use super::{CHANNEL, OUTCOME};
use crate::problem::ApiError;

/// What spans of one trace are made with. It travels in the context, so that what belongs to a
/// request needs not be told whether requests are traced.
#[derive(Clone)]
pub(crate) struct Recorder(pub SdkTracer);

/// Does something as a step of what is traced now; where nothing is, it is just done.
pub(crate) async fn step<T, E>(
    name: &'static str,
    kind: SpanKind,
    what: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let now = Context::current();
    let Some(Recorder(tracer)) = now.get::<Recorder>() else { return what.await };
    let span = tracer.span_builder(name).with_kind(kind).start_with_context(tracer, &now);
    let context = now.with_span(span);
    let done = what.with_context(context.clone()).await;
    if done.is_err() {
        // Errors have words of their own, which are for the log.
        context.span().set_status(Status::error(""));
    }
    context.span().end();
    done
}

/// Does something about a channel in a span that was begun for it, if one was, and ends that.
pub(crate) async fn about<T>(
    context: Option<Context>,
    channel: Pubkey,
    what: impl Future<Output = Result<T, ApiError>>,
) -> Result<T, ApiError> {
    let Some(context) = context else { return what.await };
    context.span().set_attribute(KeyValue::new(CHANNEL, channel.to_string()));
    let done = what.with_context(context.clone()).await;
    let slug = done.as_ref().err().map(ApiError::slug);
    end(&context, slug, slug.is_some());
    done
}

/// Ends a span: with the slug of a problem, if there is one, which may be nobody's fault here.
pub(crate) fn end(context: &Context, slug: Option<&'static str>, is_fault: bool) {
    let span = context.span();
    span.set_attribute(KeyValue::new(OUTCOME, slug.unwrap_or("done")));
    if is_fault {
        span.set_status(Status::error(slug.unwrap_or_default()));
    }
    span.end();
}

/// Adds a fact to the span that is open now, if one is.
pub(crate) fn note(key: &'static str, value: impl Into<Value>) {
    Context::map_current(|context| {
        if context.has_active_span() {
            context.span().set_attribute(KeyValue::new(key, value));
        }
    });
}

/// Tells another server which trace it is asked in, where there is one.
pub(crate) fn forward(headers: &mut HeaderMap) {
    Context::map_current(|context| {
        if context.has_active_span() {
            let mut injector = HeaderInjector(headers);
            TraceContextPropagator::new().inject_context(context, &mut injector);
        }
    });
}
