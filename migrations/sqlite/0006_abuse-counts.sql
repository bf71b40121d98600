CREATE TABLE `abuse_counts` (
	`key` text PRIMARY KEY NOT NULL,
	`count` integer NOT NULL,
	`expires_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `abuse_counts_expiry` ON `abuse_counts` (`expires_at`);