CREATE TABLE `billing_accounts` (
	`team_id` text PRIMARY KEY NOT NULL,
	`customer_id` text,
	`currency` text,
	`time_zone` text NOT NULL,
	`overage_allowed` integer NOT NULL,
	`overage_cap` integer NOT NULL,
	`frozen` text,
	`frozen_at` integer,
	`trial_at` integer,
	`past_due_since` integer,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `billing_accounts_customer` ON `billing_accounts` (`customer_id`);--> statement-breakpoint
CREATE TABLE `budgets` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`scope` text NOT NULL,
	`member_id` text,
	`phone_id` text,
	`measure` text NOT NULL,
	`limit` integer NOT NULL,
	`month` text NOT NULL,
	`spent` integer NOT NULL,
	`alerted` integer NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`member_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `budgets_team` ON `budgets` (`team_id`);--> statement-breakpoint
CREATE INDEX `budgets_person` ON `budgets` (`member_id`);--> statement-breakpoint
CREATE TABLE `checkouts` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`started_by` text,
	`session_id` text,
	`what` text NOT NULL,
	`amount` integer NOT NULL,
	`currency` text NOT NULL,
	`state` text NOT NULL,
	`url` text,
	`idempotency_key` text NOT NULL,
	`expires_at` integer NOT NULL,
	`fulfilled_at` integer,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`started_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE UNIQUE INDEX `checkouts_key` ON `checkouts` (`team_id`,`idempotency_key`);--> statement-breakpoint
CREATE UNIQUE INDEX `checkouts_session` ON `checkouts` (`session_id`);--> statement-breakpoint
CREATE INDEX `checkouts_team` ON `checkouts` (`team_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `checkouts_person` ON `checkouts` (`started_by`);--> statement-breakpoint
CREATE INDEX `checkouts_created` ON `checkouts` (`created_at`);--> statement-breakpoint
CREATE TABLE `dedicated_phones` (
	`phone_id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `dedicated_phones_team` ON `dedicated_phones` (`team_id`);--> statement-breakpoint
CREATE TABLE `grants` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`source` text NOT NULL,
	`source_id` text NOT NULL,
	`total` integer NOT NULL,
	`remaining` integer NOT NULL,
	`starts_at` integer NOT NULL,
	`expires_at` integer,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `grants_source` ON `grants` (`source`,`source_id`,`kind`);--> statement-breakpoint
CREATE INDEX `grants_team` ON `grants` (`team_id`,`expires_at`);--> statement-breakpoint
CREATE TABLE `invoices` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`subscription_id` text,
	`number` text,
	`status` text NOT NULL,
	`billing_reason` text,
	`words` text NOT NULL,
	`currency` text NOT NULL,
	`total` integer NOT NULL,
	`tax` integer NOT NULL,
	`amount_due` integer NOT NULL,
	`amount_paid` integer NOT NULL,
	`attempts` integer NOT NULL,
	`next_attempt_at` integer,
	`needs_confirmation` integer NOT NULL,
	`hosted_url` text,
	`pdf_url` text,
	`period_start` integer NOT NULL,
	`period_end` integer NOT NULL,
	`created_at` integer NOT NULL,
	`synced_at` integer NOT NULL,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `invoices_team` ON `invoices` (`team_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `invoices_created` ON `invoices` (`created_at`);--> statement-breakpoint
CREATE TABLE `ledger_entries` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text,
	`cover` text NOT NULL,
	`source` text NOT NULL,
	`source_id` text NOT NULL,
	`grant_id` text,
	`ms` integer NOT NULL,
	`amount` integer NOT NULL,
	`delta` integer NOT NULL,
	`currency` text NOT NULL,
	`interval_id` text,
	`phone_id` text,
	`from_at` integer,
	`to_at` integer,
	`day` text NOT NULL,
	`reverses_id` text,
	`reason` text,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `ledger_entries_source` ON `ledger_entries` (`source`,`source_id`,`cover`);--> statement-breakpoint
CREATE INDEX `ledger_entries_team` ON `ledger_entries` (`team_id`,`day`);--> statement-breakpoint
CREATE INDEX `ledger_entries_grant` ON `ledger_entries` (`grant_id`);--> statement-breakpoint
CREATE INDEX `ledger_entries_interval` ON `ledger_entries` (`interval_id`);--> statement-breakpoint
CREATE INDEX `ledger_entries_created` ON `ledger_entries` (`created_at`);--> statement-breakpoint
CREATE TABLE `money_back` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`kind` text NOT NULL,
	`status` text NOT NULL,
	`amount` integer NOT NULL,
	`currency` text NOT NULL,
	`charge_id` text,
	`source_id` text,
	`created_at` integer NOT NULL,
	`synced_at` integer NOT NULL,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `money_back_team` ON `money_back` (`team_id`,`created_at`);--> statement-breakpoint
CREATE TABLE `payg_days` (
	`team_id` text NOT NULL,
	`phone_id` text NOT NULL,
	`day` text NOT NULL,
	`ms` integer NOT NULL,
	`amount` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`phone_id`, `day`),
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `payg_days_team` ON `payg_days` (`team_id`,`day`);--> statement-breakpoint
CREATE INDEX `payg_days_updated` ON `payg_days` (`updated_at`);--> statement-breakpoint
CREATE TABLE `reconcile_findings` (
	`id` text PRIMARY KEY NOT NULL,
	`run_id` text NOT NULL,
	`team_id` text,
	`kind` text NOT NULL,
	`object_id` text NOT NULL,
	`words` text NOT NULL,
	`resolved_at` integer,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `reconcile_findings_once` ON `reconcile_findings` (`kind`,`object_id`);--> statement-breakpoint
CREATE INDEX `reconcile_findings_created` ON `reconcile_findings` (`created_at`);--> statement-breakpoint
CREATE INDEX `reconcile_findings_team` ON `reconcile_findings` (`team_id`);--> statement-breakpoint
CREATE TABLE `reconcile_runs` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`started_at` integer NOT NULL,
	`finished_at` integer,
	`events_until` integer,
	`looked` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `reconcile_runs_started` ON `reconcile_runs` (`started_at`);--> statement-breakpoint
CREATE TABLE `sandbox_objects` (
	`id` text PRIMARY KEY NOT NULL,
	`type` text NOT NULL,
	`team_id` text,
	`customer_id` text,
	`data` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `sandbox_objects_type` ON `sandbox_objects` (`type`,`created_at`);--> statement-breakpoint
CREATE INDEX `sandbox_objects_customer` ON `sandbox_objects` (`customer_id`,`type`);--> statement-breakpoint
CREATE INDEX `sandbox_objects_team` ON `sandbox_objects` (`team_id`);--> statement-breakpoint
CREATE TABLE `stripe_calls` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text,
	`kind` text NOT NULL,
	`idempotency_key` text NOT NULL,
	`input` text NOT NULL,
	`state` text NOT NULL,
	`attempts` integer NOT NULL,
	`result_id` text,
	`error` text,
	`created_at` integer NOT NULL,
	`done_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `stripe_calls_key` ON `stripe_calls` (`idempotency_key`);--> statement-breakpoint
CREATE INDEX `stripe_calls_state` ON `stripe_calls` (`state`,`created_at`);--> statement-breakpoint
CREATE INDEX `stripe_calls_team` ON `stripe_calls` (`team_id`);--> statement-breakpoint
CREATE INDEX `stripe_calls_created` ON `stripe_calls` (`created_at`);--> statement-breakpoint
CREATE TABLE `stripe_events` (
	`id` text PRIMARY KEY NOT NULL,
	`type` text NOT NULL,
	`object_id` text NOT NULL,
	`livemode` integer NOT NULL,
	`api_version` text,
	`created_at` integer NOT NULL,
	`received_at` integer NOT NULL,
	`processed_at` integer,
	`via` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `stripe_events_received` ON `stripe_events` (`received_at`);--> statement-breakpoint
CREATE INDEX `stripe_events_object` ON `stripe_events` (`object_id`);--> statement-breakpoint
CREATE TABLE `subscriptions` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`customer_id` text NOT NULL,
	`status` text NOT NULL,
	`items` text NOT NULL,
	`currency` text NOT NULL,
	`period_start` integer NOT NULL,
	`period_end` integer NOT NULL,
	`anchor` integer NOT NULL,
	`cancel_at` integer,
	`cancel_at_period_end` integer NOT NULL,
	`ended_at` integer,
	`paused_at` integer,
	`started_at` integer NOT NULL,
	`synced_at` integer NOT NULL,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `subscriptions_team` ON `subscriptions` (`team_id`);--> statement-breakpoint
CREATE INDEX `subscriptions_customer` ON `subscriptions` (`customer_id`);--> statement-breakpoint
CREATE TABLE `usage_holds` (
	`phone_id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`started_by` text,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`started_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE INDEX `usage_holds_team` ON `usage_holds` (`team_id`);--> statement-breakpoint
CREATE INDEX `usage_holds_person` ON `usage_holds` (`started_by`);--> statement-breakpoint
CREATE TABLE `usage_intervals` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`phone_id` text NOT NULL,
	`started_by` text,
	`started_at` integer NOT NULL,
	`last_seen_at` integer NOT NULL,
	`ended_at` integer,
	`end_reason` text,
	`rated_at` integer NOT NULL,
	`node` text NOT NULL,
	`boot` text NOT NULL,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`started_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE UNIQUE INDEX `usage_intervals_open` ON `usage_intervals` (`phone_id`) WHERE ended_at is null;--> statement-breakpoint
CREATE INDEX `usage_intervals_team` ON `usage_intervals` (`team_id`,`started_at`);--> statement-breakpoint
CREATE INDEX `usage_intervals_person` ON `usage_intervals` (`started_by`);--> statement-breakpoint
CREATE INDEX `usage_intervals_beat` ON `usage_intervals` (`node`) WHERE ended_at is null;--> statement-breakpoint
CREATE INDEX `usage_intervals_started` ON `usage_intervals` (`started_at`);--> statement-breakpoint
CREATE INDEX `usage_intervals_phone` ON `usage_intervals` (`phone_id`,`started_at`);--> statement-breakpoint
CREATE INDEX `usage_intervals_due` ON `usage_intervals` (`team_id`) WHERE ended_at is null or rated_at < ended_at;