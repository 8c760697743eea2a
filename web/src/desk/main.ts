import { createApp } from 'vue'
import '../ui/base.css'
import '../ui/forms.css'
import { applySettings } from '../ui/settings'
import './desk.css'
import App from './App.vue'

applySettings((words) => words.desk.title)
createApp(App).mount('#app')
