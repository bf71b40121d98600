DROP INDEX `audit_log_actor`;--> statement-breakpoint
DROP INDEX `audit_log_object`;--> statement-breakpoint
CREATE INDEX `audit_log_live` ON `audit_log` (`chain`,`action`,`seq`) WHERE "audit_log"."at" is not null;--> statement-breakpoint
CREATE INDEX `audit_log_actor` ON `audit_log` (`actor`,`chain`,`seq`);--> statement-breakpoint
CREATE INDEX `audit_log_object` ON `audit_log` (`object`,`chain`,`seq`);