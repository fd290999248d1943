//! The road plan → text by golden files and tables. The real daemon is in `tests/integration/battery/`.

mod golden;
mod plans;
mod respect;
