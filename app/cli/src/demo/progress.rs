use std::{fmt::Display, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const STEPS: usize = 12;
const WIDTH: usize = 76;
const SPINNER: &str = "{prefix} {msg} {spinner}";
const BAR: &str = "{prefix} {msg}  {bar:20} {human_pos} of {human_len}";

/// Numbered steps of the demo, printed on stderr as they happen.
#[derive(Default)]
pub struct Progress {
    step: usize,
}

/// Step in progress.
pub struct Step {
    line: String,
    bar: ProgressBar,
}

impl Progress {
    /// Begins the next step.
    pub fn begin(&mut self, title: &str) -> Step {
        self.begin_with(title, ProgressBar::new_spinner(), SPINNER)
    }

    /// Begins the next step, which has a number of equal parts.
    pub fn begin_parts(&mut self, title: &str, parts: u64) -> Step {
        let target = ProgressDrawTarget::stderr_with_hz(12);
        self.begin_with(title, ProgressBar::with_draw_target(Some(parts), target), BAR)
    }

    fn begin_with(&mut self, title: &str, bar: ProgressBar, template: &str) -> Step {
        self.step += 1;
        let prefix = format!("{:>2}/{STEPS}", self.step);
        // The templates are constants.
        let style = ProgressStyle::with_template(template);
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("=> "));
        bar.set_prefix(prefix.clone());
        bar.set_message(title.to_owned());
        bar.enable_steady_tick(Duration::from_millis(80));
        Step { line: format!("{prefix} {title}"), bar }
    }
}

impl Step {
    /// Returns the time since the step began.
    pub fn elapsed(&self) -> Duration {
        self.bar.elapsed()
    }

    /// Marks one part as done.
    pub fn advance(&self) {
        self.bar.inc(1);
    }

    /// Ends the step, and prints its title, its time and its result.
    pub fn done(self, result: impl Display) {
        let seconds = format!("{:.1} s", self.elapsed().as_secs_f64());
        self.bar.finish_and_clear();
        eprintln!("{:WIDTH$} {seconds:>7}\n      {result}", self.line);
    }
}
