//! Progress of long work, on standard error, and the file of refused rows.

use std::fs::File;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use symbolon_desk::api::RowProblem;
use symbolon_web::Line;

use crate::exit::Failure;

/// Shows progress lines of a call; silent where the output is JSON.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    stage: String,
    errors: Option<csv::Writer<File>>,
    pub(crate) problems: u64,
}

impl Progress {
    pub(crate) fn new(json: bool) -> Progress {
        let bar = (!json).then(ProgressBar::new_spinner);
        Progress { bar, stage: String::new(), errors: None, problems: 0 }
    }

    /// Refused rows go to `path`.
    pub(crate) fn errors_to(&mut self, path: &Path) -> Result<(), Failure> {
        let mut writer = csv::Writer::from_path(path).map_err(|_| {
            Failure::invalid(
                format!("{} cannot be written", path.display()),
                "name another file with --errors",
            )
        })?;
        // What cannot be written shows when the file is flushed at the end.
        let _ = writer.write_record(["row", "column", "severity", "rule"]);
        self.errors = Some(writer);
        Ok(())
    }

    pub(crate) fn line(&mut self, line: Line) {
        match line {
            Line::Progress(progress) => self.step(&progress),
            Line::Row(problem) => self.row(&problem),
            Line::Result(_) | Line::Error(_) => {}
        }
    }

    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        match self.errors.as_mut().map(csv::Writer::flush) {
            Some(Err(_)) => Err(Failure::invalid(
                "the file of refused rows could not be written",
                "free space or name another file; importing again is harmless",
            )),
            _ => Ok(()),
        }
    }

    fn step(&mut self, progress: &symbolon_desk::api::Progress) {
        let Some(bar) = &self.bar else { return };
        if self.stage != progress.stage {
            self.stage.clone_from(&progress.stage);
            bar.reset();
            bar.set_message(progress.stage.clone());
            bar.set_style(style(progress.total.is_some()));
        }
        if let Some(total) = progress.total {
            bar.set_length(total);
        }
        bar.set_position(progress.done);
    }

    fn row(&mut self, problem: &RowProblem) {
        self.problems += 1;
        if let Some(errors) = &mut self.errors {
            let row = problem.row.to_string();
            let _ = errors.write_record([&row, &problem.column, &problem.severity, &problem.rule]);
        }
    }
}

fn style(is_bounded: bool) -> ProgressStyle {
    let template = if is_bounded {
        "{msg:28} {wide_bar} {human_pos}/{human_len}  {per_sec}  {eta} left"
    } else {
        "{msg:28} {spinner} {human_pos}  {per_sec}"
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
