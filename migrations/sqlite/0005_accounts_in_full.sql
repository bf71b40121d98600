CREATE TABLE `abuse_counts` (
	`key` text PRIMARY KEY NOT NULL,
	`count` integer NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `abuse_counts_expiry` ON `abuse_counts` (`expires_at`);--> statement-breakpoint
CREATE TABLE `audit_heads` (
	`chain` text PRIMARY KEY NOT NULL,
	`entries` integer NOT NULL,
	`hash` text NOT NULL,
	`mac` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `server_keys` (
	`name` text PRIMARY KEY NOT NULL,
	`sealed` text NOT NULL
);
--> statement-breakpoint
DROP INDEX `audit_log_actor`;--> statement-breakpoint
DROP INDEX `audit_log_object`;--> statement-breakpoint
CREATE INDEX `audit_log_live` ON `audit_log` (`chain`,`action`,`seq`) WHERE "audit_log"."at" is not null;--> statement-breakpoint
CREATE INDEX `audit_log_actor` ON `audit_log` (`actor`,`chain`,`seq`);--> statement-breakpoint
CREATE INDEX `audit_log_object` ON `audit_log` (`object`,`chain`,`seq`);--> statement-breakpoint
ALTER TABLE `mail_outbox` ADD `failure` text;--> statement-breakpoint
CREATE INDEX `mail_outbox_state` ON `mail_outbox` (`state`);