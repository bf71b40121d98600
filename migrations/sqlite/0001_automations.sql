CREATE TABLE `flows` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`created_by` text,
	`name` text NOT NULL,
	`source` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`created_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE INDEX `flows_team` ON `flows` (`team_id`,`updated_at`);--> statement-breakpoint
CREATE TABLE `run_artifacts` (
	`run_id` text NOT NULL,
	`name` text NOT NULL,
	`kind` text NOT NULL,
	`bytes` integer NOT NULL,
	`step` integer,
	`file` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`run_id`, `name`),
	FOREIGN KEY (`run_id`) REFERENCES `runs`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `run_events` (
	`run_id` text NOT NULL,
	`seq` integer NOT NULL,
	`data` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`run_id`, `seq`),
	FOREIGN KEY (`run_id`) REFERENCES `runs`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `run_steps` (
	`run_id` text NOT NULL,
	`seq` integer NOT NULL,
	`attempt` integer NOT NULL,
	`path` text NOT NULL,
	`line` integer NOT NULL,
	`depth` integer NOT NULL,
	`command` text NOT NULL,
	`label` text NOT NULL,
	`kind` text NOT NULL,
	`state` text NOT NULL,
	`hash` text NOT NULL,
	`result` text,
	`started_at` integer NOT NULL,
	`duration_ms` integer,
	`message` text,
	PRIMARY KEY(`run_id`, `seq`),
	FOREIGN KEY (`run_id`) REFERENCES `runs`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `runs` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`flow_id` text,
	`created_by` text,
	`name` text NOT NULL,
	`source` text NOT NULL,
	`inputs` text NOT NULL,
	`phone_id` text NOT NULL,
	`state` text NOT NULL,
	`trigger` text NOT NULL,
	`error` text,
	`idempotency_key` text NOT NULL,
	`request_hash` text NOT NULL,
	`turn` integer NOT NULL,
	`holder` text,
	`fence` integer NOT NULL,
	`lease_until` integer,
	`starts` integer NOT NULL,
	`event_seq` integer NOT NULL,
	`cancel_asked_at` integer,
	`created_at` integer NOT NULL,
	`started_at` integer,
	`finished_at` integer,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`flow_id`) REFERENCES `flows`(`id`) ON UPDATE no action ON DELETE set null,
	FOREIGN KEY (`created_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE UNIQUE INDEX `runs_key` ON `runs` (`team_id`,`idempotency_key`);--> statement-breakpoint
CREATE UNIQUE INDEX `runs_lease` ON `runs` (`phone_id`) WHERE "runs"."state" in ('leased', 'running');--> statement-breakpoint
CREATE INDEX `runs_team` ON `runs` (`team_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `runs_queue` ON `runs` (`phone_id`,`state`,`turn`);--> statement-breakpoint
CREATE INDEX `runs_created` ON `runs` (`created_at`);