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
use crate::error::GatewayError;

/// Tracer of the current trace, in its context: callees need not know whether a request is traced.
#[derive(Clone)]
pub(crate) struct SpanTracer(pub SdkTracer);

/// Runs a future in a child of the current span, or without a span if there is none.
pub(crate) async fn traced<T, E>(
    name: &'static str,
    kind: SpanKind,
    what: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let now = Context::current();
    let Some(SpanTracer(tracer)) = now.get::<SpanTracer>() else { return what.await };
    let span = tracer.span_builder(name).with_kind(kind).start_with_context(tracer, &now);
    let context = now.with_span(span);
    let done = what.with_context(context.clone()).await;
    if done.is_err() {
        // Error texts belong to the log.
        context.span().set_status(Status::error(""));
    }
    context.span().end();
    done
}

/// Runs a future about a channel in a started span, if there is one, and ends the span.
pub(crate) async fn in_channel_span<T>(
    context: Option<Context>,
    channel: Pubkey,
    what: impl Future<Output = Result<T, GatewayError>>,
) -> Result<T, GatewayError> {
    let Some(context) = context else { return what.await };
    context.span().set_attribute(KeyValue::new(CHANNEL, channel.to_string()));
    let done = what.with_context(context.clone()).await;
    let slug = done.as_ref().err().map(|error| error.problem_type().slug());
    end(&context, slug, slug.is_some());
    done
}

/// Ends a span with the slug of a problem. `is_fault` marks the span as failed.
pub(crate) fn end(context: &Context, slug: Option<&'static str>, is_fault: bool) {
    let span = context.span();
    span.set_attribute(KeyValue::new(OUTCOME, slug.unwrap_or("done")));
    if is_fault {
        span.set_status(Status::error(slug.unwrap_or_default()));
    }
    span.end();
}

/// Sets an attribute of the current span, if there is one.
pub(crate) fn set_attribute(key: &'static str, value: impl Into<Value>) {
    Context::map_current(|context| {
        if context.has_active_span() {
            context.span().set_attribute(KeyValue::new(key, value));
        }
    });
}

/// Adds the current trace to the headers of an outgoing request.
pub(crate) fn inject(headers: &mut HeaderMap) {
    Context::map_current(|context| {
        if context.has_active_span() {
            let mut injector = HeaderInjector(headers);
            TraceContextPropagator::new().inject_context(context, &mut injector);
        }
    });
}
