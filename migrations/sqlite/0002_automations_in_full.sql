CREATE TABLE `file_contents` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`bytes` integer NOT NULL,
	`content` blob NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `file_contents_team` ON `file_contents` (`team_id`);--> statement-breakpoint
CREATE TABLE `run_files` (
	`run_id` text NOT NULL,
	`path` text NOT NULL,
	`content` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`run_id`, `path`),
	FOREIGN KEY (`run_id`) REFERENCES `runs`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`content`) REFERENCES `file_contents`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `run_files_content` ON `run_files` (`content`);--> statement-breakpoint
CREATE TABLE `secret_grants` (
	`secret_id` text NOT NULL,
	`flow_id` text NOT NULL,
	`granted_by` text,
	`text_hash` text NOT NULL,
	`granted_at` integer NOT NULL,
	PRIMARY KEY(`secret_id`, `flow_id`),
	FOREIGN KEY (`secret_id`) REFERENCES `secrets`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`flow_id`) REFERENCES `flows`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`granted_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE INDEX `secret_grants_flow` ON `secret_grants` (`flow_id`);--> statement-breakpoint
CREATE TABLE `secrets` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`created_by` text,
	`name` text NOT NULL,
	`value` text NOT NULL,
	`created_at` integer NOT NULL,
	`changed_at` integer NOT NULL,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`created_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE UNIQUE INDEX `secrets_name` ON `secrets` (`team_id`,`name`);--> statement-breakpoint
CREATE TABLE `suites` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`created_by` text,
	`path` text NOT NULL,
	`phone_id` text NOT NULL,
	`stops_within` integer NOT NULL,
	`idempotency_key` text NOT NULL,
	`request_hash` text NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`created_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE UNIQUE INDEX `suites_key` ON `suites` (`team_id`,`idempotency_key`);--> statement-breakpoint
CREATE INDEX `suites_created` ON `suites` (`created_at`);--> statement-breakpoint
CREATE TABLE `workspace_files` (
	`team_id` text NOT NULL,
	`path` text NOT NULL,
	`content` text NOT NULL,
	`bytes` integer NOT NULL,
	`created_by` text,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`team_id`, `path`),
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`content`) REFERENCES `file_contents`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`created_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE INDEX `workspace_files_content` ON `workspace_files` (`content`);--> statement-breakpoint
ALTER TABLE `flows` ADD `path` text;--> statement-breakpoint
CREATE UNIQUE INDEX `flows_path` ON `flows` (`team_id`,`path`);--> statement-breakpoint
ALTER TABLE `run_artifacts` ADD `baseline` text;--> statement-breakpoint
ALTER TABLE `run_steps` ADD `file` text;--> statement-breakpoint
ALTER TABLE `runs` ADD `path` text;--> statement-breakpoint
ALTER TABLE `runs` ADD `own_files` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `runs` ADD `suite_id` text;--> statement-breakpoint
ALTER TABLE `runs` ADD `part` text;--> statement-breakpoint
CREATE INDEX `runs_suite` ON `runs` (`suite_id`);