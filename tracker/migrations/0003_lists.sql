-- What a list asks of unclosed issues, in the order of a list: it reads fifty entries and stops, and where it must look at
-- all of them it reads these instead of whole rows. The order of an entry changes with its priority only, so that a new
-- status or title changes one page here, where the index by status changed two.
CREATE INDEX issues_unclosed ON issues (
    priority, created_at, id, status, type, deleted_at, defer_until, due_date, implementer_session, labels, title
) WHERE status <> 'closed';
DROP INDEX issues_by_status;
