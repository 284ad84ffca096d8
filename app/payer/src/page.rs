use std::fmt::Write;

use axum::{
    extract::State,
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;

use crate::{
    app::App,
    callers::Caller,
    clock::now,
    day::Day,
    exchanges::{Exchange, Party, Step},
    service::PayerService,
};

const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const STYLE: &str = "body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
h2 { font-size: 1rem; margin: 2rem 0 0.5rem; overflow-wrap: anywhere }
svg { width: 100%; height: auto; font: 13px system-ui, sans-serif }
text { fill: currentColor }
line { stroke: currentColor }
.life { stroke-opacity: 0.3 }
:root { color-scheme: light dark }
";
/// Columns of the drawing, in pixels.
const FIRST_COLUMN: usize = 70;
const COLUMN: usize = 215;
/// Height of a message, in pixels.
const ROW: usize = 34;
const PARTIES: [(Party, &str); 5] = [
    (Party::Client, "client"),
    (Party::Payer, "payer"),
    (Party::Paywall, "paywall"),
    (Party::Gateway, "gateway"),
    (Party::Chain, "cluster"),
];

/// Shows the newest exchanges as sequence diagrams, newest first.
pub async fn show(State(app): State<App>, _: Caller) -> Response {
    let exchanges = app.service.exchanges.newest();
    let spending = Spending::of(&app.service);
    (
        [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "no-referrer"),
            (HeaderName::from_static("x-content-type-options"), "nosniff"),
        ],
        page(&spending, &exchanges),
    )
        .into_response()
}

/// Returns the style sheet of the page.
pub async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

/// Spending of this UTC day, with its budgets.
struct Spending {
    day: Day,
    /// Rent and fees of the wallet, lamports.
    lamports: (u64, u64),
    /// All callers, base units.
    all: (u64, Option<u64>),
    /// Upfront fees, part of `all`.
    upfront_fees: u64,
}

impl Spending {
    fn of(service: &PayerService) -> Self {
        let (day, wallet) = (Day::of(now()), service.channels.wallet_spending());
        Self {
            day,
            lamports: (wallet.lamports(day), wallet.lamports_per_day()),
            all: (service.spent_today("").0, service.budgets.per_day()),
            upfront_fees: wallet.upfront_fees(day, None),
        }
    }
}

fn page(spending: &Spending, exchanges: &[Exchange]) -> String {
    let mut html = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Motif payer</title>\n\
         <link rel=\"stylesheet\" href=\"/page.css\">\n<h1>Paid requests</h1>\n",
    );
    let Spending { day, lamports, all, upfront_fees } = spending;
    let budget = all.1.map(|budget| format!(" of {budget}")).unwrap_or_default();
    // Writing to a `String` succeeds.
    let _ = writeln!(
        html,
        "<p>{day} (UTC): {}{budget} base units are spent, {upfront_fees} of them for upfront fees, and {} of {} \
         lamports for rent and transaction fees.</p>",
        all.0, lamports.0, lamports.1,
    );
    if exchanges.is_empty() {
        html.push_str("<p>No request has been sent through this service since it started.</p>\n");
    }
    for exchange in exchanges {
        draw(&mut html, exchange);
    }
    html
}

fn draw(html: &mut String, exchange: &Exchange) {
    let at = Timestamp::from_second(exchange.at).map(|at| at.to_string()).unwrap_or_default();
    let width = FIRST_COLUMN * 2 + COLUMN * (PARTIES.len() - 1);
    let height = 50 + ROW * (exchange.steps.len() + 1);
    // Writing to a `String` succeeds.
    let _ = writeln!(
        html,
        "<section>\n<h2>{}. {}</h2>\n<p>{at}, caller {}</p>\n<svg viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"Messages of request {}\">",
        exchange.number,
        escaped(&exchange.request),
        escaped(&exchange.caller),
        exchange.number,
    );
    for (column, (_, name)) in PARTIES.iter().enumerate() {
        let x = FIRST_COLUMN + COLUMN * column;
        let _ = writeln!(
            html,
            "<text x=\"{x}\" y=\"18\" text-anchor=\"middle\">{name}</text>\
             <line class=\"life\" x1=\"{x}\" x2=\"{x}\" y1=\"26\" y2=\"{height}\"/>"
        );
    }
    for (row, step) in exchange.steps.iter().enumerate() {
        draw_step(html, 50 + ROW * row, step);
    }
    if exchange.left_out > 0 {
        let y = 50 + ROW * exchange.steps.len();
        let _ = writeln!(html, "<text x=\"10\" y=\"{y}\">and {} more</text>", exchange.left_out);
    }
    html.push_str("</svg>\n</section>\n");
}

fn draw_step(html: &mut String, y: usize, step: &Step) {
    let column = |party| {
        let place = PARTIES.iter().position(|(one, _)| *one == party).unwrap_or(0);
        FIRST_COLUMN + COLUMN * place
    };
    let (from, to) = (column(step.from), column(step.to));
    let back = if to > from { to - 7 } else { to + 7 };
    let (left, line) = (from.min(to) + 6, y + 8);
    let _ = writeln!(
        html,
        "<text x=\"{left}\" y=\"{y}\">{} <tspan opacity=\"0.6\">{} ms</tspan></text>\
         <line x1=\"{from}\" x2=\"{to}\" y1=\"{line}\" y2=\"{line}\"/>\
         <line x1=\"{back}\" x2=\"{to}\" y1=\"{}\" y2=\"{line}\"/>\
         <line x1=\"{back}\" x2=\"{to}\" y1=\"{}\" y2=\"{line}\"/>",
        escaped(&step.what),
        step.after,
        line - 4,
        line + 4,
    );
}

/// Escapes a text for HTML, inside elements and quoted attributes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other if motif_sdk::text::first_hidden(other.encode_utf8(&mut [0; 4])).is_some() => {
                safe.push('\u{fffd}');
            }
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_escaped() {
        let hostile = "<script>alert('1')</script>\"&\u{202e}";
        let step = Step { from: Party::Paywall, to: Party::Payer, what: hostile.into(), after: 3 };
        let exchange = Exchange {
            number: 1,
            at: 1_795_996_800,
            caller: hostile.into(),
            request: hostile.into(),
            steps: vec![step],
            left_out: 0,
        };
        let spending = Spending {
            day: Day::of(1_795_996_800),
            lamports: (5, 9),
            all: (30, Some(40)),
            upfront_fees: 10,
        };
        let html = page(&spending, &[exchange]);
        assert!(html.contains("2026-11-30 (UTC): 30 of 40 base units"), "{html}");
        assert!(html.contains("5 of 9 lamports"), "{html}");
        assert!(!html.contains("<script") && !html.contains('\u{202e}'), "{html}");
        assert!(html.contains("&lt;script&gt;alert(&#39;1&#39;)"), "{html}");
        assert!(html.contains("2026-11-30T00:00:00Z") && html.contains(">paywall</text>"));
    }
}
