//! Python with what a suite pins, in a virtual environment of its own.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::run;

/// The environment's interpreter; made once for each list of pins.
pub fn prepare(scratch: &Path, pins: &Path) -> Result<PathBuf> {
    let venv = scratch.join("venv");
    let python = venv.join("bin/python");
    let installed = venv.join("requirements.txt");
    if std::fs::read(pins).ok() != std::fs::read(&installed).ok() || !python.exists() {
        std::fs::create_dir_all(scratch)?;
        run::status(Command::new("python3").args(["-m", "venv"]).arg(&venv))
            .context("the Python tests need python3 with venv (apt-get install python3-venv)")?;
        run::status(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(pins))?;
        std::fs::copy(pins, &installed)?;
    }
    Ok(python)
}
