ALTER TABLE `identities` ADD `checked_at` integer;--> statement-breakpoint
ALTER TABLE `identities` ADD `password_changed_at` integer;--> statement-breakpoint
CREATE INDEX `identities_checked` ON `identities` (`provider`,`checked_at`);