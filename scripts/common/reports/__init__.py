"""What people read: figures of calls, as workbooks, files and mails."""
