//! Plain text in columns, for people and for `awk`: two blanks between columns, none at the end of a line.

use std::fmt;

/// Rows under a heading. Cells of a column whose heading starts with `>` are aligned to the right.
#[derive(Debug)]
pub struct Table<const N: usize> {
    headings: [&'static str; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub fn new(headings: [&'static str; N]) -> Self {
        Self { headings, rows: Vec::new() }
    }

    /// Adds a row; an empty cell is printed as `-`, so that every line has all its words.
    pub fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| if cell.is_empty() { "-".to_owned() } else { cell }));
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[column].chars().count());
        cells.chain([self.heading(column).chars().count()]).max().unwrap_or(0)
    }

    fn heading(&self, column: usize) -> &'static str {
        self.headings[column].trim_start_matches('>')
    }

    fn line(&self, f: &mut fmt::Formatter<'_>, cells: [&str; N]) -> fmt::Result {
        let mut line = String::new();
        for (column, cell) in cells.into_iter().enumerate() {
            let width = self.width(column);
            if column > 0 {
                line += "  ";
            }
            line += &match self.headings[column].starts_with('>') {
                true => format!("{cell:>width$}"),
                false => format!("{cell:<width$}"),
            };
        }
        writeln!(f, "{}", line.trim_end())
    }
}

impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.line(f, std::array::from_fn(|column| self.heading(column)))?;
        self.rows.iter().try_for_each(|row| self.line(f, row.each_ref().map(String::as_str)))
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn columns_line_up_by_characters_not_bytes() {
        let mut table = Table::new(["NAME", ">SENT", "WORDS"]);
        table.row(["zürich".to_owned(), "7".to_owned(), "two words".to_owned()]);
        table.row(["a-longer-name".to_owned(), "1000".to_owned(), String::new()]);
        let printed = "\
NAME           SENT  WORDS
zürich            7  two words
a-longer-name  1000  -
";
        assert_eq!(table.to_string(), printed);
    }
}
