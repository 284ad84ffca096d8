use std::{
    fmt::Display,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const STEPS: usize = 12;
const WIDTH: usize = 76;
const SPINNER: &str = "{prefix} {msg} {spinner}";
const BAR: &str = "{prefix} {msg}  {bar:20} {human_pos} of {human_len}";

/// Numbered steps of the demo, printed on stderr as they happen.
pub struct Progress {
    step: usize,
    began: Instant,
}

/// Step in progress.
pub struct Step {
    number: usize,
    title: &'static str,
    began: Instant,
    bar: ProgressBar,
}

impl Progress {
    pub fn new() -> Self {
        Self { step: 0, began: Instant::now() }
    }

    /// Begins the next step.
    pub fn begin(&mut self, title: &'static str) -> Step {
        self.begin_with(title, ProgressBar::new_spinner().with_style(style(SPINNER)))
    }

    /// Begins the next step, which has a number of equal parts.
    pub fn begin_parts(&mut self, title: &'static str, parts: u64) -> Step {
        let target = ProgressDrawTarget::stderr_with_hz(12);
        let bar = ProgressBar::with_draw_target(Some(parts), target);
        self.begin_with(title, bar.with_style(style(BAR).progress_chars("=> ")))
    }

    fn begin_with(&mut self, title: &'static str, bar: ProgressBar) -> Step {
        self.step += 1;
        bar.set_prefix(format!("{:>2}/{STEPS}", self.step));
        bar.set_message(title);
        bar.enable_steady_tick(Duration::from_millis(80));
        Step { number: self.step, title, began: Instant::now(), bar }
    }

    /// Returns the time since the demo began.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

impl Step {
    /// Returns the time since the step began.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Marks one part as done.
    pub fn advance(&self) {
        self.bar.inc(1);
    }

    /// Ends the step, and prints its title, its time and its result.
    pub fn done(self, result: impl Display) {
        let Self { number, title, began, bar } = self;
        bar.finish_and_clear();
        let seconds = format!("{:.1} s", began.elapsed().as_secs_f64());
        let line = format!("{number:>2}/{STEPS} {title}");
        eprintln!("{line:WIDTH$} {seconds:>7}\n      {result}");
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
