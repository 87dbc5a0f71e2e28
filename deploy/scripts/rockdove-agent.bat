@echo off
rem Runs a rockdove agent in the background on Windows:
rem
rem   rockdove-agent.bat start ^| stop ^| restart ^| status ^| log ^| autostart ^| no-autostart
rem
rem It needs rockdove.exe, beside this file or in ..\bin, which does not exist yet: until it does,
rem rockdove-agent-wsl.bat runs the Linux agent in WSL 2.
setlocal EnableExtensions
set "STATE=%LOCALAPPDATA%\rockdove"
set "PROGRAM=%~dp0rockdove.exe"
if not exist "%PROGRAM%" set "PROGRAM=%~dp0..\bin\rockdove.exe"
if not exist "%PROGRAM%" (
  echo There is no rockdove.exe beside this file or in ..\bin: the agent for Windows does not exist yet. 1>&2
  echo Until it does, rockdove-agent-wsl.bat runs the Linux agent in WSL 2. 1>&2
  exit /b 1
)
for %%I in ("%PROGRAM%") do set "PROGRAM=%%~fI"
set "FIND=Get-Process rockdove -ErrorAction SilentlyContinue | Where-Object Path -eq '%PROGRAM%'"
if not exist "%STATE%" mkdir "%STATE%"
set "LOG=%STATE%\agent.log"

if /i "%~1"=="start" goto start
if /i "%~1"=="stop" goto stop
if /i "%~1"=="restart" goto restart
if /i "%~1"=="status" goto status
if /i "%~1"=="log" goto log
if /i "%~1"=="autostart" goto autostart
if /i "%~1"=="no-autostart" goto no_autostart
if /i "%~1"=="run" goto run
echo usage: %~nx0 start ^| stop ^| restart ^| status ^| log ^| autostart ^| no-autostart 1>&2
exit /b 2

:is_running
powershell -NoProfile -Command "if (%FIND%) { exit 0 } else { exit 1 }"
exit /b

:start
call :is_running
if not errorlevel 1 (
  echo The agent is running already. 1>&2
  exit /b 1
)
del "%STATE%\stop" 2>nul
start "rockdove agent" /min cmd /c ""%~f0" run"
echo The agent was started; its log is %LOG%
exit /b 0

rem One program at a time until "stop" has left its mark: 1 s, 2 s, ... 60 s after each end. agent.err has its last
rem words. ping waits: timeout does not where there is no keyboard.
:run
set "ROCKDOVE_LOG_FILE=%LOG%"
set /a PAUSE=1
:again
"%PROGRAM%" agent 2>"%STATE%\agent.err"
if exist "%STATE%\stop" exit /b 0
echo %DATE% %TIME% the agent ended with code %ERRORLEVEL%; starting it again in %PAUSE% s>>"%STATE%\agent.err"
set /a TICKS=PAUSE+1
ping -n %TICKS% 127.0.0.1 >nul
if exist "%STATE%\stop" exit /b 0
set /a PAUSE=PAUSE*2
if %PAUSE% gtr 60 set /a PAUSE=60
goto again

:stop
echo stop>"%STATE%\stop"
powershell -NoProfile -Command "%FIND% | Stop-Process -Force"
echo The agent is stopped.
exit /b 0

:restart
call :stop
goto start

:status
call :is_running
if errorlevel 1 (
  echo The agent is not running.
  exit /b 3
)
echo The agent is running; its log is %LOG%
exit /b 0

:log
powershell -NoProfile -Command "Get-Content -LiteralPath '%LOG%' -Tail 50 -Wait"
exit /b

:autostart
schtasks /create /f /sc onlogon /tn "rockdove agent" /tr "\"%~f0\" start"
exit /b

:no_autostart
schtasks /delete /f /tn "rockdove agent"
exit /b
