use opentelemetry::{Context, KeyValue, Value, trace::TraceContextExt};

/// Address of the channel.
pub const CHANNEL: &str = "motif.channel";
/// Path of the route, with parameter names instead of values.
pub const ROUTE: &str = "http.route";

/// Sets an attribute of the current OpenTelemetry span, if there is one.
pub fn set_attribute(key: &'static str, value: impl Into<Value>) {
    Context::map_current(|context| {
        if context.has_active_span() {
            context.span().set_attribute(KeyValue::new(key, value));
        }
    });
}
