//! A statement is one that reads, or it is refused. Checked twice: on the text, by a list of what is allowed, and on the plan,
//! by the engine's own rule, so that no nesting (EXPLAIN ANALYZE of a COPY, say) gets round it.

use datafusion::{
    error::DataFusionError,
    execution::context::SQLOptions,
    logical_expr::LogicalPlan,
    sql::{
        parser::{DFParser, Statement},
        sqlparser::ast::Statement as Ast,
    },
};

use crate::QueryError;

const WORDS_SHOWN: usize = 3;

/// Parses one statement that reads.
pub fn parse(sql: &str) -> Result<Statement, QueryError> {
    let mut statements = DFParser::parse_sql(sql).map_err(QueryError::from_planning)?;
    let statement = statements.pop_front().ok_or_else(|| QueryError::Syntax("there is no statement".to_owned()))?;
    if !statements.is_empty() {
        return Err(QueryError::Syntax("one statement at a time; found several".to_owned()));
    }
    if reads(&statement) { Ok(statement) } else { Err(refused(&statement)) }
}

/// Refuses a plan that would do anything but read.
pub fn check(plan: &LogicalPlan, statement: &str) -> Result<(), QueryError> {
    let only_reads = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    only_reads.verify_plan(plan).map_err(|_: DataFusionError| QueryError::ReadOnly { statement: first_words(statement) })
}

fn reads(statement: &Statement) -> bool {
    match statement {
        Statement::Statement(ast) => matches!(
            ast.as_ref(),
            Ast::Query(_)
                | Ast::Explain { .. }
                | Ast::ExplainTable { .. }
                | Ast::ShowTables { .. }
                | Ast::ShowColumns { .. }
                | Ast::ShowFunctions { .. }
                | Ast::ShowVariable { .. }
        ),
        Statement::Explain(explain) => reads(&explain.statement),
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => false,
    }
}

fn refused(statement: &Statement) -> QueryError {
    QueryError::ReadOnly { statement: first_words(&statement.to_string()) }
}

fn first_words(text: &str) -> String {
    text.split_whitespace().take(WORDS_SHOWN).collect::<Vec<_>>().join(" ").chars().filter(|c| *c != '`').take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_write_or_configure_are_refused() {
        let refused = [
            "create table t as select 1",
            "create view v as select 1",
            "create external table t stored as csv location '/etc/passwd'",
            "drop table events",
            "copy (select 1) to '/tmp/x.csv'",
            "explain analyze copy (select 1) to '/tmp/x.csv'",
            "insert into events values (1)",
            "update events set tenant = 'x'",
            "delete from events",
            "truncate table events",
            "set datafusion.execution.batch_size = 1",
            "reset datafusion.execution.batch_size",
            "prepare p as select 1",
            "execute p",
            "begin",
        ];
        for sql in refused {
            assert!(matches!(parse(sql), Err(QueryError::ReadOnly { .. })), "{sql}: {:?}", parse(sql).map(|s| s.to_string()));
        }
    }

    #[test]
    fn statements_that_read_pass() {
        for sql in ["select 1", "with x as (select 1) select * from x", "values (1)", "explain select 1", "show tables", "describe events"]
        {
            assert!(parse(sql).is_ok(), "{sql}");
        }
    }

    #[test]
    fn several_statements_or_none_are_refused() {
        for sql in ["select 1; select 2", "", "-- only a comment"] {
            assert!(matches!(parse(sql), Err(QueryError::Syntax(_))), "{sql}");
        }
    }
}
