use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;

/// Which of the model server's answers count, and are therefore paid for.
///
/// By default an answer counts if its status is 2xx, other than 202 (queued), 204 and 205 (no
/// content) and 206 (a part), and it has a body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AnswerRule {
    /// Statuses that count; empty for the default.
    pub status: Vec<u16>,
    /// RFC 6901 pointer to a field that the answer's JSON must have.
    pub has: Option<String>,
    /// RFC 6901 pointer to a field that the answer's JSON must not have.
    pub lacks: Option<String>,
    /// Whether an answer without a body counts.
    pub empty: bool,
    /// What the client receives instead of an answer that does not count. It costs nothing.
    pub otherwise: Otherwise,
}

/// What a client receives instead of an answer that does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Otherwise {
    /// A problem `upstream-failed`.
    #[default]
    Refuse,
    /// The answer itself, such as the number of a queued job.
    Pass,
}

/// Reading of one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The answer is paid for.
    Counts,
    /// The answer is passed on and costs nothing.
    Passed,
    /// The answer is discarded and costs nothing.
    Refused(String),
}

impl AnswerRule {
    /// Successes that are no whole answer.
    const UNCOUNTED: [u16; 4] = [202, 204, 205, 206];
    /// Maximum length of a server's error in a refusal, characters.
    const MAX_TEXT: usize = 200;

    /// Returns what is wrong with the rule, for a route that streams or not.
    pub(crate) fn fault(&self, streams: bool) -> Option<&'static str> {
        let is_pointer = |pointer: &Option<String>| match pointer {
            Some(pointer) => pointer.starts_with('/'),
            None => true,
        };
        if !self.status.iter().all(|status| (200..300).contains(status)) {
            return Some(
                "`answer.status` must be a list of 200 to 299: no other status is paid for",
            );
        }
        if !is_pointer(&self.has) || !is_pointer(&self.lacks) {
            return Some("`answer.has` and `answer.lacks` must be JSON pointers, such as /error");
        }
        let reads_whole = Self { status: Vec::new(), ..self.clone() } != Self::default();
        (streams && reads_whole).then_some("a stream's `answer` can have a `status` only")
    }

    /// Returns why an answer with this head does not count, before its body is read.
    pub(crate) fn refused_head(&self, status: StatusCode, headers: &HeaderMap) -> Option<String> {
        let status = status.as_u16();
        let counts = match &self.status[..] {
            [] => !Self::UNCOUNTED.contains(&status),
            listed => listed.contains(&status),
        };
        if !counts {
            return Some(format!("status {status} is no answer to pay for on this route"));
        }
        // Units and receipts are those of the bytes that a client reads.
        let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
        let coded = codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
        coded.then(|| "its answer is compressed, although it was asked for identity".to_owned())
    }

    /// Returns what becomes of a whole answer. One that is no success is passed on.
    pub(crate) fn verdict(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Verdict {
        if !status.is_success() {
            return Verdict::Passed;
        }
        let refused = self.refused_head(status, headers).or_else(|| self.refused_body(body));
        match (refused, self.otherwise) {
            (None, _) => Verdict::Counts,
            (Some(_), Otherwise::Pass) => Verdict::Passed,
            (Some(reason), Otherwise::Refuse) => Verdict::Refused(reason),
        }
    }

    fn refused_body(&self, body: &[u8]) -> Option<String> {
        if body.is_empty() {
            return (!self.empty).then(|| "its answer has no body".to_owned());
        }
        if self.has.is_none() && self.lacks.is_none() {
            return None;
        }
        let json: Option<Value> = serde_json::from_slice(body).ok();
        let field =
            |pointer: &String| json.as_ref()?.pointer(pointer).filter(|value| is_set(value));
        if let Some(pointer) = &self.lacks
            && let Some(value) = field(pointer)
        {
            let text = value.as_str().or_else(|| value.get("message")?.as_str());
            let text: String = text.unwrap_or_default().chars().take(Self::MAX_TEXT).collect();
            return Some(match text.is_empty() {
                true => format!("its answer has {pointer}"),
                false => format!("its answer has {pointer}: {text}"),
            });
        }
        let missing = self.has.as_ref().filter(|pointer| field(pointer).is_none())?;
        Some(format!("its answer has no {missing}"))
    }
}

/// Returns whether a field says something: servers write `"error": null`, `false` or `""`.
fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> AnswerRule {
        let rule: AnswerRule = toml::from_str(text).unwrap();
        assert_eq!(rule.fault(false), None);
        rule
    }

    fn verdict(rule: &AnswerRule, status: u16, body: &str) -> Verdict {
        let status = StatusCode::from_u16(status).unwrap();
        rule.verdict(status, &HeaderMap::new(), body.as_bytes())
    }

    fn is_refused(rule: &AnswerRule, status: u16, body: &str) -> bool {
        matches!(verdict(rule, status, body), Verdict::Refused(_))
    }

    #[test]
    fn queued_and_partial_answers_cost_nothing() {
        let default = AnswerRule::default();
        for status in [200, 201, 203, 226] {
            assert_eq!(verdict(&default, status, "x"), Verdict::Counts, "{status}");
        }
        for status in [202, 204, 205, 206] {
            assert!(is_refused(&default, status, "x"), "{status}");
        }
        assert!(is_refused(&default, 200, ""), "empty");
        assert_eq!(verdict(&default, 404, "no"), Verdict::Passed);
        let listed = rule("status = [202]");
        assert_eq!(verdict(&listed, 202, "x"), Verdict::Counts);
        assert!(is_refused(&listed, 200, "x"));
        let empty = rule("status = [204]\nempty = true");
        assert_eq!(verdict(&empty, 204, ""), Verdict::Counts);
    }

    #[test]
    fn json_error_with_status_200_costs_nothing() {
        let lacks = rule("lacks = \"/error\"");
        let Verdict::Refused(why) =
            verdict(&lacks, 200, r#"{"error":{"message":"unsafe prompt"}}"#)
        else {
            panic!("it counts")
        };
        assert!(why.contains("unsafe prompt"), "{why}");
        for error in ["\"no\"", "{\"code\":1}", "true", "7"] {
            assert!(is_refused(&lacks, 200, &format!("{{\"error\":{error}}}")), "{error}");
        }
        for other in ["null", "false", "\"\"", "[]", "{}"] {
            let body = format!("{{\"error\":{other}}}");
            assert_eq!(verdict(&lacks, 200, &body), Verdict::Counts, "{other}");
        }
        assert_eq!(verdict(&lacks, 200, "\u{89}PNG"), Verdict::Counts);
    }

    #[test]
    fn unfinished_job_costs_nothing() {
        let has = rule("has = \"/output/0\"\notherwise = \"pass\"");
        assert_eq!(verdict(&has, 200, r#"{"output":["https://a/b.png"]}"#), Verdict::Counts);
        for body in [r#"{"status":"processing"}"#, r#"{"output":[]}"#, r#"{"output":null}"#, "x"] {
            assert_eq!(verdict(&has, 200, body), Verdict::Passed, "{body}");
        }
        assert_eq!(verdict(&has, 202, r#"{"id":7}"#), Verdict::Passed);
    }

    #[test]
    fn compressed_answer_costs_nothing() {
        let coded = |coding: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_ENCODING, coding.parse().unwrap());
            AnswerRule::default().verdict(StatusCode::OK, &headers, b"x")
        };
        assert_eq!(coded("identity"), Verdict::Counts);
        for coding in ["gzip", "br", "zstd", "gzip, br"] {
            assert!(matches!(coded(coding), Verdict::Refused(_)), "{coding}");
        }
    }

    #[test]
    fn contradictory_rule_is_rejected() {
        let fault =
            |text: &str, streams| toml::from_str::<AnswerRule>(text).unwrap().fault(streams);
        assert!(fault("status = [404]", false).is_some());
        assert!(fault("has = \"output\"", false).is_some());
        assert!(fault("lacks = \"error\"", false).is_some());
        assert!(fault("lacks = \"/error\"", true).is_some());
        assert!(fault("otherwise = \"pass\"", true).is_some());
        assert!(fault("status = [200]", true).is_none());
        assert!(toml::from_str::<AnswerRule>("fails = 1").is_err());
    }
}
