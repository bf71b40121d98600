CREATE TABLE `recording_steps` (
	`recording_id` text NOT NULL,
	`seq` integer NOT NULL,
	`changed` integer NOT NULL,
	`removed_at` integer,
	`data` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`recording_id`, `seq`),
	FOREIGN KEY (`recording_id`) REFERENCES `recordings`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `recording_steps_changed` ON `recording_steps` (`recording_id`,`changed`);--> statement-breakpoint
CREATE TABLE `recordings` (
	`id` text PRIMARY KEY NOT NULL,
	`team_id` text NOT NULL,
	`created_by` text NOT NULL,
	`phone_id` text NOT NULL,
	`state` text NOT NULL,
	`note` text,
	`start_url` text,
	`flow_id` text,
	`event_seq` integer NOT NULL,
	`state_seq` integer NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`created_by`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`flow_id`) REFERENCES `flows`(`id`) ON UPDATE no action ON DELETE set null
);
--> statement-breakpoint
CREATE UNIQUE INDEX `recordings_running` ON `recordings` (`phone_id`) WHERE "recordings"."state" = 'recording';--> statement-breakpoint
CREATE INDEX `recordings_person` ON `recordings` (`created_by`,`updated_at`);