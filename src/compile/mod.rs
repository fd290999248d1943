//! What users wrote → what is true. Pure, and the only road from `api` to `model`.

pub mod resources;
