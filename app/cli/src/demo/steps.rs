use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const TOTAL: usize = 12;
const WIDTH: usize = 76;

/// The numbered steps of the story, on stderr as they happen.
pub struct Steps {
    number: usize,
    began: Instant,
}

/// A step that has begun.
pub struct Step {
    number: usize,
    title: &'static str,
    began: Instant,
    bar: ProgressBar,
}

impl Steps {
    pub fn new() -> Self {
        Self { number: 0, began: Instant::now() }
    }

    /// Begins the next step.
    pub fn begin(&mut self, title: &'static str) -> Step {
        self.number += 1;
        let bar = ProgressBar::new_spinner().with_style(style("{prefix} {msg} {spinner}"));
        let step = Step { number: self.number, title, began: Instant::now(), bar };
        step.show();
        step
    }

    /// Begins the next step, of that many equal parts.
    pub fn begin_many(&mut self, title: &'static str, parts: u64) -> Step {
        self.number += 1;
        let template = "{prefix} {msg}  {bar:20} {human_pos} of {human_len}";
        let bar =
            ProgressBar::with_draw_target(Some(parts), ProgressDrawTarget::stderr_with_hz(12));
        let bar = bar.with_style(style(template).progress_chars("=> "));
        let step = Step { number: self.number, title, began: Instant::now(), bar };
        step.show();
        step
    }

    /// Time since the story began.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

impl Step {
    fn show(&self) {
        self.bar.set_prefix(format!("{:>2}/{TOTAL}", self.number));
        self.bar.set_message(self.title);
        self.bar.enable_steady_tick(Duration::from_millis(80));
    }

    /// Time since the step began.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// One part is done.
    pub fn advance(&self) {
        self.bar.inc(1);
    }

    /// The step is done; `result` says what came of it.
    pub fn done(self, result: impl std::fmt::Display) {
        let Self { number, title, began, bar } = self;
        bar.finish_and_clear();
        let seconds = format!("{:.1} s", began.elapsed().as_secs_f64());
        let line = format!("{number:>2}/{TOTAL} {title}");
        eprintln!("{line:WIDTH$} {seconds:>7}\n      {result}");
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants that a test reads.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
