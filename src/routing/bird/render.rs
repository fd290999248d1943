//! The view through the templates of `templates/bird/`, into BIRD's own language.

use super::view::View;
use crate::routing::digest::digest;

const TEMPLATES: [(&str, &str); 6] = [
    ("novaedge.conf", include_str!("../../../templates/bird/novaedge.conf.tera")),
    ("wanted", include_str!("../../../templates/bird/wanted.tera")),
    ("tables", include_str!("../../../templates/bird/tables.tera")),
    ("outgoing", include_str!("../../../templates/bird/outgoing.tera")),
    ("ospf", include_str!("../../../templates/bird/ospf.tera")),
    ("peer", include_str!("../../../templates/bird/peer.tera")),
];

/// The name under which BIRD knows which file it runs.
pub const DIGEST: &str = "NOVAEDGE_DIGEST";

/// The compiled templates.
#[derive(Debug)]
pub struct Renderer(tera::Tera);

/// A whole file, and the digest that it defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub text: String,
    pub digest: u32,
}

impl Renderer {
    /// # Panics
    /// Never: the templates are part of the program, and a test renders each of them.
    pub fn new() -> Self {
        let mut tera = tera::Tera::default();
        tera.add_raw_templates(TEMPLATES).expect("the built-in templates parse");
        Self(tera)
    }

    /// The whole file. Lines that hold only template marks leave nothing behind.
    ///
    /// # Panics
    /// Never: the templates name only fields of [`View`], and a test renders each of them.
    pub fn render(&self, view: &View) -> Rendered {
        let context = tera::Context::from_serialize(view).expect("a view is a map of plain values");
        let body = self.0.render("novaedge.conf", &context).expect("the built-in templates fit the view");
        let lines = body.lines().filter(|line| !line.trim().is_empty());
        let body: String = lines.flat_map(|line| [line, "\n"]).collect();
        // BIRD's integers are read as signed in some places: 31 bits are the same everywhere.
        let digest = (self::digest(&body) & 0x7fff_ffff) as u32;
        Rendered { text: format!("{body}define {DIGEST} = {digest};\n"), digest }
    }
}
