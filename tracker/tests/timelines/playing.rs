//! Played time, content time, waiting and pauses.

use crate::timeline;

timeline!(
    a_short_film_from_beginning_to_end,
    "0    source /film.mp4
     0.2  load 8
     1    play 0.3
     15   leave",
    @"
   0.200 impression
   1.000 play_request @0
   1.300 play @0
   3.300 quartile ladder=watched percent=25 @2
   3.300 quartile ladder=position percent=25 @2
   5.300 quartile ladder=watched percent=50 @4
   5.300 quartile ladder=position percent=50 @4
   7.300 quartile ladder=watched percent=75 @6
   7.300 quartile ladder=position percent=75 @6
   9.300 quartile ladder=watched percent=100 @8
   9.300 quartile ladder=position percent=100 @8
   9.300 end @8
  15.000 stop reason=ended
slice 0 at 0.200 for 14.800: views=1 impressions=1 play_requests=1 plays=1 ends=1 stops=1 played_ms=8000 content_ms=8000 wait_ms=300 engaged_ms=8000 ladder_plays=1 played_ms_other=8000 startup_ms=300 reached_25=1 reached_50=1 reached_75=1 reached_100=1 position_25=1 position_50=1 position_75=1 position_100=1 watched=100% active=1 stop_reason=ended
"
);

timeline!(
    /// What the viewer paused is neither played nor waited.
    a_pause_and_a_resume,
    "0    source /film.mp4
     0    load 60
     1    play 0.2
     6.2  pause
     16.2 play
     20.2 leave",
    @"
   0.000 impression
   1.000 play_request @0
   1.200 play @0
   6.200 pause @5
  16.200 resume @5
  20.200 stop reason=closed
slice 0 at 0.000 for 20.200: views=1 impressions=1 play_requests=1 plays=1 pauses=1 resumes=1 stops=1 played_ms=9000 content_ms=9000 wait_ms=200 paused_ms=10000 engaged_ms=9000 ladder_plays=1 played_ms_other=9000 startup_ms=200 watched=15% active=1 stop_reason=closed
"
);

timeline!(
    /// Ten seconds, a seek to half an hour, ten more: twenty seconds were watched, and not half an hour.
    a_seek_far_ahead_is_not_watched,
    "0    source /film.mp4
     0    load 3600
     0    play
     10   seek 1800 0.5
     20.5 leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  10.000 seek from_ms=10000 to_ms=1800000 took_ms=500 @10
  11.500 quartile ladder=position percent=25 @1801
  11.500 quartile ladder=position percent=50 @1801
  20.500 stop reason=closed
slice 0 at 0.000 for 20.500: views=1 impressions=1 play_requests=1 plays=1 seeks=1 seek_ms=500 stops=1 played_ms=20000 content_ms=20000 engaged_ms=20000 ladder_plays=1 played_ms_other=20000 startup_ms=1 seek_max_ms=500 position_25=1 position_50=1 active=1 stop_reason=closed
"
);

timeline!(
    a_stall_of_thirty_seconds_is_not_played,
    "0    source /film.mp4
     0    load 600
     0    play
     10   stall 30
     50   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  10.000 rebuffer cause=network took_ms=30000 @10
  50.000 stop reason=closed
slice 0 at 0.000 for 50.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 rebuffers=1 rebuffer_ms=30000 played_ms=20000 content_ms=20000 engaged_ms=20000 rebuffered=1 ladder_plays=1 played_ms_other=20000 startup_ms=1 watched=3% active=1 stop_reason=closed
"
);

timeline!(
    at_double_speed_twice_as_much_content_passes,
    "0    source /film.mp4
     0    load 60
     0    rate 2
     0    play
     10   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   7.500 quartile ladder=watched percent=25 @15
   7.500 quartile ladder=position percent=25 @15
  10.000 stop reason=closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=10000 content_ms=20000 engaged_ms=10000 ladder_plays=1 played_ms_other=10000 startup_ms=1 reached_25=1 position_25=1 watched=33% active=1 stop_reason=closed
"
);

timeline!(
    /// The viewer gives up before the first frame: a request and a wait, and no play.
    nothing_is_shown_and_the_viewer_leaves,
    "0    source /film.mp4
     0    load 60
     1    play 100
     6    leave",
    @"
   0.000 impression
   1.000 play_request @0
   6.000 stop reason=closed
slice 0 at 0.000 for 6.000: views=1 impressions=1 play_requests=1 stops=1 wait_ms=5000 stop_reason=closed
"
);

timeline!(
    a_pause_while_waiting_stops_the_clock_of_the_startup,
    "0    source /film.mp4
     0    load 60
     1    play 9
     2    pause
     7    play 1
     10   leave",
    @"
   0.000 impression
   1.000 play_request @0
   8.000 play @0
  10.000 stop reason=closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=2000 content_ms=2000 wait_ms=2000 paused_ms=5000 engaged_ms=2000 ladder_plays=1 played_ms_other=2000 startup_ms=2000 watched=3% active=1 stop_reason=closed
"
);

timeline!(
    time_in_a_hidden_page_is_no_startup,
    "0    source /film.mp4
     0    load 60
     1    play 5
     2    hide
     5    show
     8    leave",
    @"
   0.000 impression
   1.000 play_request @0
   6.000 play @0
   8.000 stop reason=closed
slice 0 at 0.000 for 8.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=2000 content_ms=2000 wait_ms=2000 engaged_ms=2000 ladder_plays=1 played_ms_other=2000 startup_ms=2000 watched=3% active=1 stop_reason=closed
"
);

timeline!(
    an_error_before_the_first_frame,
    "0    source /film.mp4
     1    play 9
     3    fail MEDIA_ERR_NETWORK
     5    leave",
    @"
   1.000 play_request @0
   3.000 error code=MEDIA_ERR_NETWORK fatal=true phase=before_first_frame @0
   5.000 stop reason=error
slice 0 at 1.000 for 4.000: views=1 play_requests=1 stops=1 wait_ms=2000 errors=1 fatal_errors=1 start_failures=1 errored=1 stop_reason=error error=MEDIA_ERR_NETWORK/before_first_frame
"
);

timeline!(
    an_error_in_the_middle,
    "0    source /film.mp4
     0    load 60
     0    play
     5    warn bufferStalled
     9    fail MEDIA_ERR_DECODE
     12   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 error code=bufferStalled fatal=false phase=mid_stream @5
   9.000 error code=MEDIA_ERR_DECODE fatal=true phase=mid_stream @9
  12.000 stop reason=error
slice 0 at 0.000 for 12.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=9000 content_ms=9000 engaged_ms=9000 errors=2 fatal_errors=1 playback_failures=1 errored=1 ladder_plays=1 played_ms_other=9000 startup_ms=1 watched=15% active=1 stop_reason=error error=bufferStalled/mid_stream
"
);

timeline!(
    live_has_no_quartiles,
    "0    source /live.m3u8
     0    load live
     0    play 1
     11   leave",
    @"
   0.000 impression
   0.000 play_request @0
   1.000 play @0
  11.000 stop reason=closed
slice 0 at 0.000 for 11.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=10000 content_ms=10000 wait_ms=1000 engaged_ms=10000 played_ms_other=10000 startup_ms=1000 active=1 stop_reason=closed [kind=live]
"
);

timeline!(
    half_speed_passes_half_the_content,
    "0    source /film.mp4
     0    load 60
     0    rate 0.5
     0    play
     10   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  10.000 stop reason=closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=10000 content_ms=5000 engaged_ms=10000 ladder_plays=1 played_ms_other=10000 startup_ms=1 watched=8% active=1 stop_reason=closed
"
);

timeline!(
    sixteen_times_as_fast,
    "0    source /film.mp4
     0    load 600
     0    rate 16
     0    play
     10   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   9.500 quartile ladder=watched percent=25 @152
   9.500 quartile ladder=position percent=25 @152
  10.000 stop reason=closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=10000 content_ms=160000 engaged_ms=10000 ladder_plays=1 played_ms_other=10000 startup_ms=1 reached_25=1 position_25=1 watched=27% active=1 stop_reason=closed
"
);

timeline!(
    a_change_of_speed_in_the_middle,
    "0    source /film.mp4
     0    load 60
     0    play
     5    rate 2
     10   rate 1
     15   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 rate rate=2.0 @5
  10.000 quartile ladder=watched percent=25 @15
  10.000 quartile ladder=position percent=25 @15
  10.000 rate rate=1.0 @15
  15.000 stop reason=closed
slice 0 at 0.000 for 15.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=15000 content_ms=20000 engaged_ms=15000 ladder_plays=1 played_ms_other=15000 startup_ms=1 reached_25=1 position_25=1 watched=33% active=1 stop_reason=closed
"
);

timeline!(
    a_slow_timeupdate_loses_nothing,
    "0    source /film.mp4
     0    load 60
     0    step 1.9
     0    play
     9.5  leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   9.500 stop reason=closed
slice 0 at 0.000 for 9.500: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=9500 content_ms=9500 engaged_ms=9500 ladder_plays=1 played_ms_other=9500 startup_ms=1 watched=16% active=1 stop_reason=closed
"
);

timeline!(
    a_quick_timeupdate_adds_nothing,
    "0    source /film.mp4
     0    load 60
     0    step 0.015
     0    play
     3    leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   3.000 stop reason=closed
slice 0 at 0.000 for 3.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=3000 content_ms=3000 engaged_ms=3000 ladder_plays=1 played_ms_other=3000 startup_ms=1 watched=5% active=1 stop_reason=closed
"
);

timeline!(
    in_a_hidden_page_playing_is_playing_and_hidden,
    "0    source /film.mp4
     0    load 60
     0    play
     5    hide
     10   show
     15   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 visibility visible=false @5
  10.000 visibility visible=true @10
  15.000 quartile ladder=watched percent=25 @15
  15.000 quartile ladder=position percent=25 @15
  15.000 stop reason=closed
slice 0 at 0.000 for 15.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=15000 content_ms=15000 engaged_ms=10000 hidden_ms=5000 ladder_plays=1 played_ms_other=15000 startup_ms=1 reached_25=1 position_25=1 watched=25% active=1 stop_reason=closed
"
);

timeline!(
    with_the_sound_off_it_is_played_and_not_engaged,
    "0    source /film.mp4
     0    load 60
     0    mute
     0    play
     5    unmute
     10   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 volume muted=false volume=1.0 @5
  10.000 stop reason=closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=10000 content_ms=10000 engaged_ms=5000 muted_ms=5000 ladder_plays=1 played_ms_other=10000 startup_ms=1 watched=17% active=1 stop_reason=closed
"
);

timeline!(
    volume_zero_is_no_sound,
    "0    source /film.mp4
     0    load 60
     0    play
     5    volume 0
     10   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 volume muted=false volume=0.0 @5
  10.000 stop reason=closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=10000 content_ms=10000 engaged_ms=5000 muted_ms=5000 ladder_plays=1 played_ms_other=10000 startup_ms=1 watched=17% active=1 stop_reason=closed
"
);

timeline!(
    dragging_the_volume_is_one_event,
    "0    source /film.mp4
     0    load 60
     0    play
     5    volume 0.9
     5.1  volume 0.7
     5.2  volume 0.5
     10   volume 0.4
     12   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 volume muted=false volume=0.5 @5
  10.000 volume muted=false volume=0.4 @10
  12.000 stop reason=closed
slice 0 at 0.000 for 12.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=12000 content_ms=12000 engaged_ms=12000 ladder_plays=1 played_ms_other=12000 startup_ms=1 watched=20% active=1 stop_reason=closed
"
);

timeline!(
    in_picture_in_picture_a_hidden_page_is_still_watched,
    "0    source /film.mp4
     0    load 60
     0    play
     2    pip on
     3    hide
     8    show
     8    pip off
     10   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   2.000 pip on=true @2
   3.000 visibility visible=false @3
   8.000 visibility visible=true @8
   8.000 pip on=false @8
  10.000 stop reason=closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=10000 content_ms=10000 engaged_ms=10000 hidden_ms=5000 pip_ms=6000 ladder_plays=1 played_ms_other=10000 startup_ms=1 watched=17% active=1 stop_reason=closed
"
);

timeline!(
    full_screen_is_a_part_of_played_time,
    "0    source /film.mp4
     0    load 60
     0    play
     2    fullscreen on
     7    fullscreen off
     10   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   2.000 fullscreen on=true @2
   7.000 fullscreen on=false @7
  10.000 stop reason=closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=10000 content_ms=10000 engaged_ms=10000 fullscreen_ms=5000 ladder_plays=1 played_ms_other=10000 startup_ms=1 watched=17% active=1 stop_reason=closed
"
);

timeline!(
    /// An hour of sleep is neither played nor stalled.
    the_machine_sleeps_while_it_plays,
    "0    source /film.mp4
     0    load 60
     0    play
     5    sleep 3600
     3610 leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
3610.000 stop reason=closed
slice 0 at 0.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 played_ms=5000 content_ms=5000 engaged_ms=5000 ladder_plays=1 played_ms_other=5000 startup_ms=1 watched=8% active=1
slice 1 at 3605.000 for 5.000: stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 played_ms_other=5000 watched=9% active=1 stop_reason=closed
"
);

timeline!(
    the_machine_sleeps_while_the_first_frame_is_awaited,
    "0    source /film.mp4
     0    load 60
     0    play 8
     2    sleep 3600
     3612 leave",
    @"
   0.000 impression
   0.000 play_request @0
3602.000 play @0
3612.000 stop reason=closed
slice 0 at 0.000 for 0.000: views=1 impressions=1 play_requests=1
slice 1 at 3587.000 for 15.250: plays=1 played_ms=250 content_ms=250 wait_ms=15000 engaged_ms=250 ladder_plays=1 played_ms_other=250 startup_ms=15000 active=10
slice 2 at 3602.250 for 9.750: stops=1 played_ms=9750 content_ms=9750 engaged_ms=9750 played_ms_other=9750 watched=17% stop_reason=closed
"
);

timeline!(
    /// The browser tells of the first frame at three seconds; the playhead is seen to move a quarter later.
    a_frame_is_shown_before_the_playhead_moves,
    "0    source /film.mp4
     0    load 60
     0    play 3
     6    leave",
    @"
   0.000 impression
   0.000 play_request @0
   3.000 play @0
   6.000 stop reason=closed
slice 0 at 0.000 for 6.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=3000 content_ms=3000 wait_ms=3000 engaged_ms=3000 ladder_plays=1 played_ms_other=3000 startup_ms=3000 watched=5% active=1 stop_reason=closed
"
);

timeline!(
    a_play_that_is_asked_for_before_anything_is_loaded,
    "0    source /film.mp4
     0    play 2
     1    load 60
     5    leave",
    @"
   0.000 play_request @0
   1.000 impression
   2.000 play @0
   5.000 stop reason=closed
slice 0 at 0.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=3000 content_ms=3000 wait_ms=2000 engaged_ms=3000 ladder_plays=1 played_ms_other=3000 startup_ms=2000 watched=5% active=1 stop_reason=closed
"
);

timeline!(
    a_duration_of_zero_is_unknown,
    "0    source /film.mp4
     0    load 0
     0    play
     5    leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 stop reason=closed
slice 0 at 0.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 played_ms_other=5000 startup_ms=1 active=1 stop_reason=closed
"
);

timeline!(
    a_duration_that_is_no_number_is_unknown,
    "0    source /film.mp4
     0    load NaN
     0    play
     5    leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 stop reason=closed
slice 0 at 0.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 played_ms_other=5000 startup_ms=1 active=1 stop_reason=closed
"
);

timeline!(
    an_absurd_duration_is_live,
    "0    source /film.mp4
     0    load 1e9
     0    play
     5    leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 stop reason=closed
slice 0 at 0.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 played_ms_other=5000 startup_ms=1 active=1 stop_reason=closed [kind=live]
"
);

timeline!(
    an_infinite_duration_is_live,
    "0    source /film.mp4
     0    load inf
     0    play
     5    leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 stop reason=closed
slice 0 at 0.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 played_ms_other=5000 startup_ms=1 active=1 stop_reason=closed [kind=live]
"
);

timeline!(
    the_engine_knows_that_a_growing_duration_is_live,
    "0    source blob:1
     0    load 30
     0    live yes
     0    play
     10   load 40
     15   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  15.000 stop reason=closed
slice 0 at 0.000 for 15.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=15000 content_ms=15000 engaged_ms=15000 played_ms_other=15000 startup_ms=1 active=1 stop_reason=closed [kind=live]
"
);

timeline!(
    live_with_a_window_to_seek_in,
    "0    source /live.m3u8
     0    load live
     0    play
     10   seek 2 0.5
     20   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  10.000 seek from_ms=10000 to_ms=2000 took_ms=500 @10
  20.000 stop reason=closed
slice 0 at 0.000 for 20.000: views=1 impressions=1 play_requests=1 plays=1 seeks=1 seek_ms=500 stops=1 played_ms=19500 content_ms=19500 engaged_ms=19500 played_ms_other=19500 startup_ms=1 seek_max_ms=500 active=1 stop_reason=closed [kind=live]
"
);

timeline!(
    /// A correction of what it is begins a slice of its own.
    live_that_ends_and_becomes_a_film,
    "0    source /live.m3u8
     0    load live
     0    play
     10   load 60
     15   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  15.000 quartile ladder=position percent=25 @15
  15.000 stop reason=closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 played_ms=10000 content_ms=10000 engaged_ms=10000 played_ms_other=10000 startup_ms=1 active=1 [kind=live]
slice 1 at 10.000 for 5.000: stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 ladder_plays=1 played_ms_other=5000 position_25=1 watched=8% stop_reason=closed
"
);

timeline!(
    live_that_counts_from_the_epoch,
    "0    source /live.m3u8
     0    load live
     0    seek 1790000000 0
     0.1  play
     10   leave",
    @"
   0.000 impression
   0.100 play_request @1790000000
   0.100 play @1790000000
  10.000 stop reason=closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=9900 content_ms=9900 engaged_ms=9900 played_ms_other=9900 startup_ms=1 active=1 stop_reason=closed [kind=live]
"
);

timeline!(
    a_pause_during_a_seek_shows_afterwards,
    "0    source /film.mp4
     0    load 60
     0    play
     5    seek 30 2
     6    pause
     10   play
     12   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 seek from_ms=5000 to_ms=30000 took_ms=2000 @5
   7.000 pause @30
  10.000 resume @30
  11.000 quartile ladder=position percent=25 @31
  11.000 quartile ladder=position percent=50 @31
  12.000 stop reason=closed
slice 0 at 0.000 for 12.000: views=1 impressions=1 play_requests=1 plays=1 pauses=1 resumes=1 seeks=1 seek_ms=2000 stops=1 played_ms=7000 content_ms=7000 paused_ms=3000 engaged_ms=7000 ladder_plays=1 played_ms_other=7000 startup_ms=1 seek_max_ms=2000 position_25=1 position_50=1 watched=11% active=1 stop_reason=closed
"
);

timeline!(
    the_pause_that_comes_with_the_end_is_none,
    "0    source /film.mp4
     0    load 5
     0    play
     10   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   1.250 quartile ladder=watched percent=25 @1.25
   1.250 quartile ladder=position percent=25 @1.25
   2.500 quartile ladder=watched percent=50 @2.5
   2.500 quartile ladder=position percent=50 @2.5
   3.750 quartile ladder=watched percent=75 @3.75
   3.750 quartile ladder=position percent=75 @3.75
   5.000 quartile ladder=watched percent=100 @5
   5.000 quartile ladder=position percent=100 @5
   5.000 end @5
  10.000 stop reason=ended
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 ends=1 stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 ladder_plays=1 played_ms_other=5000 startup_ms=1 reached_25=1 reached_50=1 reached_75=1 reached_100=1 position_25=1 position_50=1 position_75=1 position_100=1 watched=100% active=1 stop_reason=ended
"
);

timeline!(
    leaving_while_paused,
    "0    source /film.mp4
     0    load 60
     0    play
     5    pause
     9    leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 pause @5
   9.000 stop reason=closed
slice 0 at 0.000 for 9.000: views=1 impressions=1 play_requests=1 plays=1 pauses=1 stops=1 played_ms=5000 content_ms=5000 paused_ms=4000 engaged_ms=5000 ladder_plays=1 played_ms_other=5000 startup_ms=1 watched=8% active=1 stop_reason=closed
"
);

timeline!(
    playback_that_goes_on_where_it_was_left_is_asked_for_before_the_place_is_shown,
    "0    source /film.mp4
     0    load 60
     1    seek 30 0.5
     1.1  play
     5    leave",
    @"
   0.000 impression
   1.100 play_request @30
   1.500 play @30
   2.500 quartile ladder=position percent=25 @31
   2.500 quartile ladder=position percent=50 @31
   5.000 stop reason=closed
slice 0 at 0.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=3500 content_ms=3500 wait_ms=400 engaged_ms=3500 ladder_plays=1 played_ms_other=3500 startup_ms=400 position_25=1 position_50=1 watched=6% active=1 stop_reason=closed
"
);

timeline!(
    looking_back_after_the_end_is_no_pause_and_playing_from_there_is_a_replay,
    "0    source /film.mp4
     0    load 10
     0    play
     12   seek 0 0.2
     20   play
     25   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   2.500 quartile ladder=watched percent=25 @2.5
   2.500 quartile ladder=position percent=25 @2.5
   5.000 quartile ladder=watched percent=50 @5
   5.000 quartile ladder=position percent=50 @5
   7.500 quartile ladder=watched percent=75 @7.5
   7.500 quartile ladder=position percent=75 @7.5
  10.000 quartile ladder=watched percent=100 @10
  10.000 quartile ladder=position percent=100 @10
  10.000 end @10
  12.000 seek from_ms=10000 to_ms=0 took_ms=200 @10
  20.000 replay @0
  25.000 stop reason=closed
slice 0 at 0.000 for 25.000: views=1 impressions=1 play_requests=1 plays=1 seeks=1 seek_ms=200 replays=1 ends=1 stops=1 played_ms=15000 content_ms=15000 engaged_ms=15000 ladder_plays=1 played_ms_other=15000 startup_ms=1 seek_max_ms=200 reached_25=1 reached_50=1 reached_75=1 reached_100=1 position_25=1 position_50=1 position_75=1 position_100=1 watched=100% rewatched=50% active=1 stop_reason=closed
"
);
